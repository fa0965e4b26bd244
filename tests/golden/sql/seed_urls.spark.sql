-- step: seed_pages
SELECT
  `t12`.`url_id`,
  `t12`.`users`,
  `t12`.`clicks`,
  `t12`.`keywords`,
  `t12`.`first_date`,
  `t12`.`last_date`,
  `t12`.`url`
FROM (
  SELECT
    *
  FROM (
    SELECT
      `t10`.`url_id`,
      `t10`.`users`,
      `t10`.`clicks`,
      `t10`.`keywords`,
      `t10`.`first_date`,
      `t10`.`last_date`,
      `t10`.`url`,
      ROW_NUMBER() OVER (ORDER BY `t10`.`users` DESC, `t10`.`url` ASC NULLS LAST) - 1 AS `place`
    FROM (
      SELECT
        `t9`.`url_id`,
        `t9`.`users`,
        `t9`.`clicks`,
        `t9`.`keywords`,
        `t9`.`first_date`,
        `t9`.`last_date`,
        `t3`.`url`
      FROM (
        SELECT
          *
        FROM (
          SELECT
            `t6`.`url_id`,
            COUNT(DISTINCT `t6`.`user_no`) AS `users`,
            SUM(`t6`.`clicks`) AS `clicks`,
            COUNT(DISTINCT `t6`.`keyword_id`) AS `keywords`,
            MIN(`t6`.`first_date`) AS `first_date`,
            MAX(`t6`.`last_date`) AS `last_date`
          FROM (
            SELECT
              `t4`.`keyword_id`,
              `t4`.`url_id`,
              `t4`.`user_no`,
              `t4`.`clicks`,
              `t4`.`first_date`,
              `t4`.`last_date`
            FROM `edge_users` AS `t4`
            INNER JOIN `click_edges` AS `t5`
              ON `t4`.`keyword_id` = `t5`.`keyword_id` AND `t4`.`url_id` = `t5`.`url_id`
          ) AS `t6`
          GROUP BY
            1
        ) AS `t7`
        WHERE
          `t7`.`users` >= 5 AND `t7`.`keywords` >= 3
      ) AS `t9`
      INNER JOIN `urls` AS `t3`
        ON `t9`.`url_id` = `t3`.`url_id`
    ) AS `t10`
  ) AS `t11`
  WHERE
    `t11`.`place` < 50000
) AS `t12`;

-- step: seed_urls
SELECT
  `t2`.`url`,
  `t4`.`title`,
  `t2`.`users`,
  `t2`.`clicks`,
  `t2`.`keywords`,
  `t2`.`first_date`,
  `t2`.`last_date`
FROM `seed_pages` AS `t2`
LEFT OUTER JOIN (
  SELECT
    `t1`.`url`,
    `t1`.`title`
  FROM `pages` AS `t1`
) AS `t4`
  ON `t2`.`url` = `t4`.`url`;

-- step: seed_url_keywords
SELECT
  `t10`.`url`,
  `t10`.`keyword_id`,
  `t10`.`users`,
  `t10`.`clicks`
FROM (
  SELECT
    *
  FROM (
    SELECT
      `t8`.`url`,
      `t8`.`keyword_id`,
      `t8`.`users`,
      `t8`.`clicks`,
      ROW_NUMBER() OVER (
        PARTITION BY `t8`.`url`
        ORDER BY `t8`.`users` DESC, `t8`.`keyword_id` ASC NULLS LAST
      ) - 1 AS `place`
    FROM (
      SELECT
        `t7`.`url`,
        `t7`.`keyword_id`,
        COUNT(*) AS `users`,
        SUM(`t7`.`clicks`) AS `clicks`
      FROM (
        SELECT
          `t3`.`keyword_id`,
          `t3`.`url_id`,
          `t3`.`user_no`,
          `t3`.`clicks`,
          `t3`.`first_date`,
          `t3`.`last_date`,
          `t6`.`url`
        FROM `edge_users` AS `t3`
        INNER JOIN `click_edges` AS `t4`
          ON `t3`.`keyword_id` = `t4`.`keyword_id` AND `t3`.`url_id` = `t4`.`url_id`
        INNER JOIN (
          SELECT
            `t2`.`url_id`,
            `t2`.`url`
          FROM `seed_pages` AS `t2`
        ) AS `t6`
          ON `t3`.`url_id` = `t6`.`url_id`
      ) AS `t7`
      GROUP BY
        1,
        2
    ) AS `t8`
  ) AS `t9`
  WHERE
    `t9`.`place` < 50
) AS `t10`;
