-- step: keyword_days
SELECT
  `t0`.`keyword_id`,
  CAST(`t0`.`ts` AS DATE) AS `day`,
  COUNT(DISTINCT `t0`.`user_no`) AS `users`
FROM `session_searches` AS `t0`
GROUP BY
  1,
  2;

-- step: bursts
SELECT
  `t10`.`keyword_id`,
  `t10`.`first_date`,
  `t10`.`last_date`,
  `t10`.`observed`,
  `t10`.`expected`,
  `t10`.`score`,
  `t10`.`searches`,
  `t10`.`users`,
  CAST(`t10`.`observed` AS DOUBLE) / `t10`.`expected` AS `factor`
FROM (
  SELECT
    `t2`.`keyword_id`,
    `t2`.`first_date`,
    `t2`.`last_date`,
    `t2`.`observed`,
    `t2`.`expected`,
    `t2`.`score`,
    `t9`.`searches`,
    `t9`.`users`
  FROM `burst_intervals` AS `t2`
  INNER JOIN (
    SELECT
      `t7`.`keyword_id`,
      `t7`.`first_date`,
      COUNT(*) AS `searches`,
      COUNT(DISTINCT `t7`.`user_no`) AS `users`
    FROM (
      SELECT
        *
      FROM (
        SELECT
          `t5`.`keyword_id`,
          `t5`.`user_no`,
          `t5`.`day`,
          `t3`.`first_date`,
          `t3`.`last_date`,
          `t3`.`observed`,
          `t3`.`expected`,
          `t3`.`score`
        FROM (
          SELECT
            `t1`.`keyword_id`,
            `t1`.`user_no`,
            CAST(`t1`.`ts` AS DATE) AS `day`
          FROM `session_searches` AS `t1`
        ) AS `t5`
        INNER JOIN `burst_intervals` AS `t3`
          ON `t5`.`keyword_id` = `t3`.`keyword_id`
      ) AS `t6`
      WHERE
        `t6`.`day` >= `t6`.`first_date` AND `t6`.`day` <= `t6`.`last_date`
    ) AS `t7`
    GROUP BY
      1,
      2
  ) AS `t9`
    ON `t2`.`keyword_id` = `t9`.`keyword_id` AND `t2`.`first_date` = `t9`.`first_date`
) AS `t10`
WHERE
  `t10`.`users` >= 10;
