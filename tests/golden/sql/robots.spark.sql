-- step: user_days
SELECT
  `t0`.`user_no`,
  CAST(`t0`.`ts` AS DATE) AS `day`,
  COUNT(*) AS `searches`,
  COUNT(CAST(`t0`.`gap` AS BIGINT)) AS `gaps`,
  SUM(CAST(`t0`.`gap` AS BIGINT)) AS `gap_sum`,
  SUM(CAST(`t0`.`gap` AS BIGINT) * CAST(`t0`.`gap` AS BIGINT)) AS `gap_square_sum`
FROM `session_searches` AS `t0`
GROUP BY
  1,
  2;

-- step: robot_users
SELECT
  `t11`.`user_no`,
  `t11`.`user_id`,
  `t11`.`searches`,
  `t11`.`active_days`,
  `t11`.`busiest_day_searches`,
  `t11`.`gap_variation`,
  `t11`.`clicks`,
  `t11`.`too_many_searches`,
  `t11`.`regular_gaps`,
  `t11`.`no_clicks`
FROM (
  SELECT
    `t10`.`user_no`,
    `t10`.`searches`,
    `t10`.`active_days`,
    `t10`.`busiest_day_searches`,
    `t10`.`gaps`,
    `t10`.`gap_sum`,
    `t10`.`gap_square_sum`,
    `t10`.`user_id`,
    `t10`.`clicks`,
    `t10`.`gap_variation`,
    `t10`.`busiest_day_searches` > 300 AS `too_many_searches`,
    COALESCE((
      `t10`.`gaps` >= 20
    ) AND (
      `t10`.`gap_variation` < 0.3
    ), FALSE) AS `regular_gaps`,
    COALESCE(
      (
        `t10`.`searches` > (
          `t10`.`active_days` * 60
        )
      )
      AND (
        `t10`.`clicks` < (
          CAST(`t10`.`searches` AS DOUBLE) * 0.01
        )
      ),
      FALSE
    ) AS `no_clicks`
  FROM (
    SELECT
      `t9`.`user_no`,
      `t9`.`searches`,
      `t9`.`active_days`,
      `t9`.`busiest_day_searches`,
      `t9`.`gaps`,
      `t9`.`gap_sum`,
      `t9`.`gap_square_sum`,
      `t9`.`user_id`,
      COALESCE(`t9`.`clicks`, 0) AS `clicks`,
      IF(
        `t9`.`gap_sum` > 0,
        SQRT(
          GREATEST(
            (
              CAST(`t9`.`gap_square_sum` AS DOUBLE) / `t9`.`gaps`
            ) - (
              (
                CAST(`t9`.`gap_sum` AS DOUBLE) / `t9`.`gaps`
              ) * (
                CAST(`t9`.`gap_sum` AS DOUBLE) / `t9`.`gaps`
              )
            ),
            0.0
          )
        ) / (
          CAST(`t9`.`gap_sum` AS DOUBLE) / `t9`.`gaps`
        ),
        IF(`t9`.`gaps` > 0, 0.0, CAST(NULL AS DOUBLE))
      ) AS `gap_variation`
    FROM (
      SELECT
        `t8`.`user_no`,
        `t8`.`searches`,
        `t8`.`active_days`,
        `t8`.`busiest_day_searches`,
        `t8`.`gaps`,
        `t8`.`gap_sum`,
        `t8`.`gap_square_sum`,
        `t8`.`user_id`,
        `t8`.`clicks`
      FROM (
        SELECT
          `t7`.`user_no`,
          `t7`.`searches`,
          `t7`.`active_days`,
          `t7`.`busiest_day_searches`,
          `t7`.`gaps`,
          `t7`.`gap_sum`,
          `t7`.`gap_square_sum`,
          `t3`.`user_id`,
          `t6`.`user_id` AS `user_id_right`,
          `t6`.`clicks`
        FROM (
          SELECT
            `t0`.`user_no`,
            SUM(`t0`.`searches`) AS `searches`,
            COUNT(*) AS `active_days`,
            MAX(`t0`.`searches`) AS `busiest_day_searches`,
            SUM(`t0`.`gaps`) AS `gaps`,
            SUM(`t0`.`gap_sum`) AS `gap_sum`,
            SUM(`t0`.`gap_square_sum`) AS `gap_square_sum`
          FROM `user_days` AS `t0`
          GROUP BY
            1
        ) AS `t7`
        INNER JOIN `users` AS `t3`
          ON `t7`.`user_no` = `t3`.`user_no`
        LEFT OUTER JOIN (
          SELECT
            `t2`.`user_id`,
            COUNT(*) AS `clicks`
          FROM `clicks` AS `t2`
          GROUP BY
            1
        ) AS `t6`
          ON `t3`.`user_id` = `t6`.`user_id`
      ) AS `t8`
    ) AS `t9`
  ) AS `t10`
) AS `t11`
WHERE
  `t11`.`too_many_searches` OR `t11`.`regular_gaps` OR `t11`.`no_clicks`;
