-- step: session_queries
SELECT
  `t2`.`session`,
  `t2`.`position`,
  `t2`.`keyword_id`
FROM (
  SELECT
    `t1`.`session`,
    `t1`.`user_no`,
    `t1`.`keyword_id`,
    `t1`.`position`,
    `t1`.`day`,
    COUNT(*) OVER (
      PARTITION BY `t1`.`session`
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS `queries`
  FROM (
    SELECT
      *
    FROM `session_events` AS `t0`
    WHERE
      (
        `t0`.`user_no` % 3
      ) = 0
  ) AS `t1`
) AS `t2`
WHERE
  `t2`.`queries` > 1;

-- step: page_queries
SELECT
  `t3`.`url_id`,
  `t3`.`place`,
  `t3`.`keyword_id`
FROM (
  SELECT
    `t2`.`url_id`,
    `t2`.`keyword_id`,
    `t2`.`clicks`,
    ROW_NUMBER() OVER (
      PARTITION BY `t2`.`url_id`
      ORDER BY `t2`.`clicks` DESC, `t2`.`keyword_id` ASC NULLS LAST
    ) - 1 AS `place`
  FROM (
    SELECT
      `t1`.`url_id`,
      `t1`.`keyword_id`,
      SUM(`t1`.`clicks`) AS `clicks`
    FROM (
      SELECT
        *
      FROM `edge_users` AS `t0`
      WHERE
        (
          `t0`.`url_id` % 2
        ) = 0
    ) AS `t1`
    GROUP BY
      1,
      2
  ) AS `t2`
) AS `t3`
WHERE
  `t3`.`place` < 10;

-- step: titles
SELECT
  `t4`.`url_id`,
  `t4`.`title`
FROM (
  SELECT
    `t2`.`url`,
    `t2`.`title`,
    `t2`.`text`,
    `t2`.`language`,
    `t3`.`url_id`
  FROM `pages` AS `t2`
  INNER JOIN `urls` AS `t3`
    ON `t2`.`url` = `t3`.`url`
) AS `t4`
WHERE
  (
    `t4`.`url_id` % 2
  ) = 0;
