-- step: urls
SELECT
  `t7`.`url`,
  ROW_NUMBER() OVER (ORDER BY `t7`.`url` ASC NULLS LAST) - 1 AS `url_id`
FROM (
  SELECT DISTINCT
    *
  FROM (
    SELECT
      `t3`.`url`
    FROM `clicks` AS `t3`
    INNER JOIN `queries` AS `t4`
      ON `t3`.`query` = `t4`.`query`
    INNER JOIN `users` AS `t5`
      ON `t3`.`user_id` = `t5`.`user_id`
  ) AS `t6`
) AS `t7`;

-- step: edge_users
SELECT
  `t9`.`keyword_id`,
  `t9`.`url_id`,
  `t9`.`user_no`,
  COUNT(*) AS `clicks`,
  MIN(`t9`.`day`) AS `first_date`,
  MAX(`t9`.`day`) AS `last_date`
FROM (
  SELECT
    `t8`.`search_id`,
    `t8`.`ts`,
    `t8`.`user_id`,
    `t8`.`query`,
    `t8`.`url`,
    `t8`.`rank`,
    `t8`.`query_id`,
    `t8`.`keyword_id`,
    `t8`.`user_no`,
    `t8`.`url_id`,
    CAST(`t8`.`ts` AS DATE) AS `day`
  FROM (
    SELECT
      `t4`.`search_id`,
      `t4`.`ts`,
      `t4`.`user_id`,
      `t4`.`query`,
      `t4`.`url`,
      `t4`.`rank`,
      `t5`.`query_id`,
      `t5`.`keyword_id`,
      `t6`.`user_no`,
      `t7`.`url_id`
    FROM `clicks` AS `t4`
    INNER JOIN `queries` AS `t5`
      ON `t4`.`query` = `t5`.`query`
    INNER JOIN `users` AS `t6`
      ON `t4`.`user_id` = `t6`.`user_id`
    INNER JOIN `urls` AS `t7`
      ON `t4`.`url` = `t7`.`url`
  ) AS `t8`
) AS `t9`
GROUP BY
  1,
  2,
  3;

-- step: click_edges
SELECT
  `t3`.`keyword_id`,
  `t3`.`url_id`
FROM (
  SELECT
    `t2`.`keyword_id`,
    `t2`.`url_id`,
    `t2`.`clicks`,
    `t2`.`users`,
    COUNT(*) OVER (
      PARTITION BY `t2`.`url_id`
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS `keywords`
  FROM (
    SELECT
      *
    FROM (
      SELECT
        `t0`.`keyword_id`,
        `t0`.`url_id`,
        SUM(`t0`.`clicks`) AS `clicks`,
        COUNT(*) AS `users`
      FROM `edge_users` AS `t0`
      GROUP BY
        1,
        2
    ) AS `t1`
    WHERE
      `t1`.`clicks` >= 1 AND `t1`.`users` >= 1
  ) AS `t2`
) AS `t3`
WHERE
  `t3`.`keywords` <= 10000;

-- step: click_neighbors
SELECT
  `t15`.`pair_id`,
  SUM(`t15`.`clicks`) AS `clicks`,
  COUNT(DISTINCT `t15`.`user_no`) AS `users`,
  MIN(`t15`.`first_date`) AS `first_date`,
  MAX(`t15`.`last_date`) AS `last_date`,
  CAST(NULL AS DOUBLE) AS `recency`
FROM (
  SELECT
    `t14`.`pair_id`,
    `t14`.`keyword_id`,
    `t14`.`url_id`,
    `t4`.`user_no`,
    `t4`.`clicks`,
    `t4`.`first_date`,
    `t4`.`last_date`
  FROM (
    SELECT
      *
    FROM (
      SELECT
        *
      FROM (
        SELECT
          `t5`.`pair_id`,
          `t5`.`low_id` AS `keyword_id`,
          `t8`.`url_id`
        FROM `click_pairs` AS `t5`
        INNER JOIN (
          SELECT
            `t3`.`keyword_id` AS `low_id`,
            `t3`.`url_id`
          FROM `click_edges` AS `t3`
        ) AS `t8`
          ON `t5`.`low_id` = `t8`.`low_id`
        INNER JOIN (
          SELECT
            `t3`.`keyword_id` AS `high_id`,
            `t3`.`url_id`
          FROM `click_edges` AS `t3`
        ) AS `t9`
          ON `t5`.`high_id` = `t9`.`high_id` AND `t8`.`url_id` = `t9`.`url_id`
      ) AS `t10`
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          `t5`.`pair_id`,
          `t5`.`high_id` AS `keyword_id`,
          `t8`.`url_id`
        FROM `click_pairs` AS `t5`
        INNER JOIN (
          SELECT
            `t3`.`keyword_id` AS `low_id`,
            `t3`.`url_id`
          FROM `click_edges` AS `t3`
        ) AS `t8`
          ON `t5`.`low_id` = `t8`.`low_id`
        INNER JOIN (
          SELECT
            `t3`.`keyword_id` AS `high_id`,
            `t3`.`url_id`
          FROM `click_edges` AS `t3`
        ) AS `t9`
          ON `t5`.`high_id` = `t9`.`high_id` AND `t8`.`url_id` = `t9`.`url_id`
      ) AS `t11`
    ) AS `t12`
    UNION
    SELECT
      *
    FROM `path_steps` AS `t0`
  ) AS `t14`
  INNER JOIN `edge_users` AS `t4`
    ON `t14`.`keyword_id` = `t4`.`keyword_id` AND `t14`.`url_id` = `t4`.`url_id`
) AS `t15`
GROUP BY
  1;
