-- step: clicked_pages
SELECT
  `t4`.`url_id`,
  `t3`.`title`,
  SUBSTRING(`t3`.`text`, IF((
    0 + 1
  ) >= 1, 0 + 1, 0 + 1 + LENGTH(`t3`.`text`)), 0) AS `text`
FROM `pages` AS `t3`
INNER JOIN `urls` AS `t4`
  ON `t3`.`url` = `t4`.`url`
LEFT SEMI JOIN `click_edges` AS `t5`
  ON `t4`.`url_id` = `t5`.`url_id`;

-- step: page_keyword_users
SELECT
  `t10`.`keyword_id`,
  `t10`.`users`,
  `t10`.`first_date`,
  `t10`.`last_date`,
  `t10`.`recency`
FROM (
  SELECT
    *
  FROM (
    SELECT
      `t8`.`keyword_id`,
      `t8`.`users`,
      `t8`.`first_date`,
      `t8`.`last_date`,
      `t8`.`recency`,
      ROW_NUMBER() OVER (ORDER BY `t8`.`users` DESC, `t8`.`keyword_id` ASC NULLS LAST) - 1 AS `place`
    FROM (
      SELECT
        *
      FROM (
        SELECT
          `t6`.`keyword_id`,
          COUNT(DISTINCT `t6`.`user_no`) AS `users`,
          MIN(`t6`.`first_date`) AS `first_date`,
          MAX(`t6`.`last_date`) AS `last_date`,
          CAST(NULL AS DOUBLE) AS `recency`
        FROM (
          SELECT
            `t3`.`keyword_id`,
            `t3`.`url_id`,
            `t3`.`user_no`,
            `t3`.`clicks`,
            `t3`.`first_date`,
            `t3`.`last_date`
          FROM `edge_users` AS `t3`
          LEFT SEMI JOIN `click_edges` AS `t4`
            ON `t3`.`keyword_id` = `t4`.`keyword_id` AND `t3`.`url_id` = `t4`.`url_id`
          LEFT SEMI JOIN `clicked_pages` AS `t5`
            ON `t3`.`url_id` = `t5`.`url_id`
        ) AS `t6`
        GROUP BY
          1
      ) AS `t7`
      WHERE
        `t7`.`users` >= 2
    ) AS `t8`
  ) AS `t9`
  WHERE
    `t9`.`place` < 100000
) AS `t10`;

-- step: page_popularity
SELECT
  `t8`.`keyword_id`,
  `t8`.`url_id`,
  COUNT(*) AS `users`
FROM (
  SELECT
    `t4`.`keyword_id`,
    `t4`.`url_id`,
    `t4`.`user_no`,
    `t4`.`clicks`,
    `t4`.`first_date`,
    `t4`.`last_date`
  FROM `edge_users` AS `t4`
  LEFT SEMI JOIN `click_edges` AS `t5`
    ON `t4`.`keyword_id` = `t5`.`keyword_id` AND `t4`.`url_id` = `t5`.`url_id`
  LEFT SEMI JOIN `clicked_pages` AS `t6`
    ON `t4`.`url_id` = `t6`.`url_id`
  LEFT SEMI JOIN `page_keyword_users` AS `t7`
    ON `t4`.`keyword_id` = `t7`.`keyword_id`
) AS `t8`
GROUP BY
  1,
  2;
