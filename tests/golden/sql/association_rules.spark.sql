-- step: association_rules
SELECT
  `t11`.`keyword_id`,
  `t11`.`neighbor_id`,
  `t11`.`support`,
  `t11`.`confidence`,
  `t11`.`lift`,
  `t11`.`significance`,
  `t11`.`sessions`,
  `t11`.`users`,
  `t11`.`first_date`,
  `t11`.`last_date`,
  `t11`.`recency`
FROM (
  SELECT
    `t10`.`weight`,
    `t10`.`sessions`,
    `t10`.`users`,
    `t10`.`first_date`,
    `t10`.`last_date`,
    `t10`.`recency`,
    `t10`.`keyword_id`,
    `t10`.`neighbor_id`,
    `t10`.`keyword_count`,
    `t10`.`neighbor_count`,
    CAST(`t10`.`sessions` AS DOUBLE) / 1000.0 AS `support`,
    CAST(`t10`.`sessions` AS DOUBLE) / `t10`.`keyword_count` AS `confidence`,
    (
      CAST(`t10`.`sessions` AS DOUBLE) * 1000.0
    ) / (
      CAST(`t10`.`keyword_count` AS DOUBLE) * CAST(`t10`.`neighbor_count` AS DOUBLE)
    ) AS `lift`,
    CAST(CAST(ROUND(
      IF(
        (
          CAST(`t10`.`sessions` AS DOUBLE) * 1000.0
        ) >= (
          CAST(`t10`.`keyword_count` AS DOUBLE) * CAST(`t10`.`neighbor_count` AS DOUBLE)
        ),
        (
          (
            CAST(`t10`.`sessions` AS DOUBLE) * LN(
              IF(
                `t10`.`sessions` > 0,
                CAST(`t10`.`sessions` AS DOUBLE) / (
                  (
                    CAST(`t10`.`keyword_count` AS DOUBLE) * CAST(`t10`.`neighbor_count` AS DOUBLE)
                  ) / 1000.0
                ),
                1.0
              )
            )
          ) + (
            (
              CAST(`t10`.`keyword_count` - `t10`.`sessions` AS DOUBLE) * LN(
                IF(
                  (
                    `t10`.`keyword_count` - `t10`.`sessions`
                  ) > 0,
                  CAST(`t10`.`keyword_count` - `t10`.`sessions` AS DOUBLE) / (
                    (
                      CAST(`t10`.`keyword_count` AS DOUBLE) * CAST(1000 - `t10`.`neighbor_count` AS DOUBLE)
                    ) / 1000.0
                  ),
                  1.0
                )
              )
            ) + (
              CAST(`t10`.`neighbor_count` - `t10`.`sessions` AS DOUBLE) * LN(
                IF(
                  (
                    `t10`.`neighbor_count` - `t10`.`sessions`
                  ) > 0,
                  CAST(`t10`.`neighbor_count` - `t10`.`sessions` AS DOUBLE) / (
                    (
                      CAST(1000 - `t10`.`keyword_count` AS DOUBLE) * CAST(`t10`.`neighbor_count` AS DOUBLE)
                    ) / 1000.0
                  ),
                  1.0
                )
              )
            )
          ) + (
            CAST((
              (
                1000 - `t10`.`keyword_count`
              ) - `t10`.`neighbor_count`
            ) + `t10`.`sessions` AS DOUBLE) * LN(
              IF(
                (
                  (
                    (
                      1000 - `t10`.`keyword_count`
                    ) - `t10`.`neighbor_count`
                  ) + `t10`.`sessions`
                ) > 0,
                CAST((
                  (
                    1000 - `t10`.`keyword_count`
                  ) - `t10`.`neighbor_count`
                ) + `t10`.`sessions` AS DOUBLE) / (
                  (
                    CAST(1000 - `t10`.`keyword_count` AS DOUBLE) * CAST(1000 - `t10`.`neighbor_count` AS DOUBLE)
                  ) / 1000.0
                ),
                1.0
              )
            )
          )
        ) * 2.0,
        -(
          (
            (
              CAST(`t10`.`sessions` AS DOUBLE) * LN(
                IF(
                  `t10`.`sessions` > 0,
                  CAST(`t10`.`sessions` AS DOUBLE) / (
                    (
                      CAST(`t10`.`keyword_count` AS DOUBLE) * CAST(`t10`.`neighbor_count` AS DOUBLE)
                    ) / 1000.0
                  ),
                  1.0
                )
              )
            ) + (
              (
                CAST(`t10`.`keyword_count` - `t10`.`sessions` AS DOUBLE) * LN(
                  IF(
                    (
                      `t10`.`keyword_count` - `t10`.`sessions`
                    ) > 0,
                    CAST(`t10`.`keyword_count` - `t10`.`sessions` AS DOUBLE) / (
                      (
                        CAST(`t10`.`keyword_count` AS DOUBLE) * CAST(1000 - `t10`.`neighbor_count` AS DOUBLE)
                      ) / 1000.0
                    ),
                    1.0
                  )
                )
              ) + (
                CAST(`t10`.`neighbor_count` - `t10`.`sessions` AS DOUBLE) * LN(
                  IF(
                    (
                      `t10`.`neighbor_count` - `t10`.`sessions`
                    ) > 0,
                    CAST(`t10`.`neighbor_count` - `t10`.`sessions` AS DOUBLE) / (
                      (
                        CAST(1000 - `t10`.`keyword_count` AS DOUBLE) * CAST(`t10`.`neighbor_count` AS DOUBLE)
                      ) / 1000.0
                    ),
                    1.0
                  )
                )
              )
            ) + (
              CAST((
                (
                  1000 - `t10`.`keyword_count`
                ) - `t10`.`neighbor_count`
              ) + `t10`.`sessions` AS DOUBLE) * LN(
                IF(
                  (
                    (
                      (
                        1000 - `t10`.`keyword_count`
                      ) - `t10`.`neighbor_count`
                    ) + `t10`.`sessions`
                  ) > 0,
                  CAST((
                    (
                      1000 - `t10`.`keyword_count`
                    ) - `t10`.`neighbor_count`
                  ) + `t10`.`sessions` AS DOUBLE) / (
                    (
                      CAST(1000 - `t10`.`keyword_count` AS DOUBLE) * CAST(1000 - `t10`.`neighbor_count` AS DOUBLE)
                    ) / 1000.0
                  ),
                  1.0
                )
              )
            )
          ) * 2.0
        )
      ) * 1024.0,
      0
    ) AS BIGINT) AS DOUBLE) / 1024.0 AS `significance`
  FROM (
    SELECT
      `t9`.`weight`,
      `t9`.`sessions`,
      `t9`.`users`,
      `t9`.`first_date`,
      `t9`.`last_date`,
      `t9`.`recency`,
      `t9`.`keyword_id`,
      `t9`.`neighbor_id`,
      `t7`.`keyword_count`,
      `t8`.`neighbor_count`
    FROM (
      SELECT
        *
      FROM (
        SELECT
          `t0`.`weight`,
          `t0`.`sessions`,
          `t0`.`users`,
          `t0`.`first_date`,
          `t0`.`last_date`,
          `t0`.`recency`,
          `t0`.`low_id` AS `keyword_id`,
          `t0`.`high_id` AS `neighbor_id`
        FROM `session_pairs` AS `t0`
      ) AS `t2`
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          `t0`.`weight`,
          `t0`.`sessions`,
          `t0`.`users`,
          `t0`.`first_date`,
          `t0`.`last_date`,
          `t0`.`recency`,
          `t0`.`high_id` AS `keyword_id`,
          `t0`.`low_id` AS `neighbor_id`
        FROM `session_pairs` AS `t0`
      ) AS `t3`
    ) AS `t9`
    INNER JOIN (
      SELECT
        `t1`.`keyword_id`,
        `t1`.`sessions` AS `keyword_count`
      FROM `keyword_sessions` AS `t1`
    ) AS `t7`
      ON `t9`.`keyword_id` = `t7`.`keyword_id`
    INNER JOIN (
      SELECT
        `t1`.`keyword_id` AS `neighbor_id`,
        `t1`.`sessions` AS `neighbor_count`
      FROM `keyword_sessions` AS `t1`
    ) AS `t8`
      ON `t9`.`neighbor_id` = `t8`.`neighbor_id`
  ) AS `t10`
) AS `t11`
WHERE
  `t11`.`sessions` >= 3
  AND `t11`.`support` >= 0.0
  AND `t11`.`confidence` >= 0.01
  AND `t11`.`significance` >= 10.83;
