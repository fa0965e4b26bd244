-- step: day_searches
SELECT
  `t10`.`date`,
  `t10`.`user_id`,
  `t10`.`ts`,
  `t10`.`search_id`,
  `t10`.`session_id`,
  `t10`.`query`,
  `t10`.`device`,
  `t10`.`region`,
  `t10`.`ads_shown`,
  `t10`.`repeats`,
  `t10`.`early_first`,
  `t10`.`late_last`,
  CAST(SUM(CAST(`t10`.`starts` AS BIGINT)) OVER (
    PARTITION BY `t10`.`user_id`, `t10`.`date`
    ORDER BY `t10`.`ts` ASC NULLS LAST, `t10`.`search_id` ASC NULLS LAST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS INT) AS `session`,
  CAST(SUM(CAST(NOT (
    `t10`.`repeats`
  ) AS BIGINT)) OVER (
    PARTITION BY `t10`.`user_id`, `t10`.`date`
    ORDER BY `t10`.`ts` ASC NULLS LAST, `t10`.`search_id` ASC NULLS LAST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS INT) AS `position`,
  CAST(IF(
    `t10`.`starts`,
    CAST(NULL AS BIGINT),
    CAST(FLOOR((
      `t10`.`silence`
    ) / (
      100000
    )) AS BIGINT)
  ) AS INT) AS `gap`
FROM (
  SELECT
    `t9`.`date`,
    `t9`.`user_id`,
    `t9`.`ts`,
    `t9`.`search_id`,
    `t9`.`session_id`,
    `t9`.`query`,
    `t9`.`device`,
    `t9`.`region`,
    `t9`.`ads_shown`,
    `t9`.`silence`,
    `t9`.`session_changes`,
    `t9`.`same_keyword`,
    `t9`.`is_last`,
    (
      `t9`.`silence` IS NULL
    )
    OR (
      `t9`.`silence` > 1800000000
    )
    OR `t9`.`session_changes` AS `starts`,
    NOT (
      (
        `t9`.`silence` IS NULL
      )
      OR (
        `t9`.`silence` > 1800000000
      )
      OR `t9`.`session_changes`
    )
    AND `t9`.`same_keyword` AS `repeats`,
    (
      `t9`.`silence` IS NULL
    )
    AND (
      DATEDIFF(MICROSECOND, CAST(`t9`.`date` AS TIMESTAMP), `t9`.`ts`) < 1800000000
    ) AS `early_first`,
    `t9`.`is_last`
    AND (
      DATEDIFF(MICROSECOND, CAST(`t9`.`date` AS TIMESTAMP), `t9`.`ts`) >= 84600000000
    ) AS `late_last`
  FROM (
    SELECT
      `t8`.`date`,
      `t8`.`user_id`,
      `t8`.`ts`,
      `t8`.`search_id`,
      `t8`.`session_id`,
      `t8`.`query`,
      `t8`.`device`,
      `t8`.`region`,
      `t8`.`ads_shown`,
      DATEDIFF(
        MICROSECOND,
        LAG(`t8`.`ts`) OVER (
          PARTITION BY `t8`.`user_id`, `t8`.`date`
          ORDER BY `t8`.`ts` ASC NULLS LAST, `t8`.`search_id` ASC NULLS LAST
        ),
        `t8`.`ts`
      ) AS `silence`,
      COALESCE(
        `t8`.`session_id` <> LAG(`t8`.`session_id`) OVER (
          PARTITION BY `t8`.`user_id`, `t8`.`date`
          ORDER BY `t8`.`ts` ASC NULLS LAST, `t8`.`search_id` ASC NULLS LAST
        ),
        FALSE
      ) AS `session_changes`,
      `t8`.`keyword` = LAG(`t8`.`keyword`) OVER (
        PARTITION BY `t8`.`user_id`, `t8`.`date`
        ORDER BY `t8`.`ts` ASC NULLS LAST, `t8`.`search_id` ASC NULLS LAST
      ) AS `same_keyword`,
      LEAD(`t8`.`ts`) OVER (
        PARTITION BY `t8`.`user_id`, `t8`.`date`
        ORDER BY `t8`.`ts` ASC NULLS LAST, `t8`.`search_id` ASC NULLS LAST
      ) IS NULL AS `is_last`
    FROM (
      SELECT
        *
      FROM (
        SELECT
          `t6`.`search_id`,
          `t6`.`ts`,
          `t6`.`user_id`,
          `t6`.`session_id`,
          `t6`.`query`,
          `t6`.`region`,
          `t6`.`device`,
          `t6`.`client`,
          `t6`.`results`,
          `t6`.`ads_shown`,
          `t6`.`date`,
          `t4`.`keyword`
        FROM (
          SELECT
            `t0`.`search_id`,
            `t0`.`ts`,
            `t0`.`user_id`,
            `t0`.`session_id`,
            `t0`.`query`,
            `t0`.`region`,
            `t0`.`device`,
            `t0`.`client`,
            `t0`.`results`,
            `t0`.`ads_shown`,
            CAST(`t0`.`ts` AS DATE) AS `date`
          FROM `searches` AS `t0`
          WHERE
            `t0`.`ts` >= CAST('2025-03-01T00:00:00' AS TIMESTAMP)
            AND `t0`.`ts` < CAST('2025-03-03T00:00:00' AS TIMESTAMP)
        ) AS `t6`
        LEFT SEMI JOIN `wanted_days` AS `t3`
          ON `t6`.`date` = `t3`.`date`
        INNER JOIN `normalised` AS `t4`
          ON `t6`.`query` = `t4`.`query`
      ) AS `t7`
      WHERE
        `t7`.`keyword` <> ''
    ) AS `t8`
  ) AS `t9`
) AS `t10`;

-- step: session_searches
SELECT
  `t5`.`user_no`,
  `t6`.`query_id`,
  `t6`.`keyword_id`,
  `t4`.`ts`,
  `t4`.`device`,
  `t4`.`region`,
  `t4`.`ads_shown`,
  IF(
    (
      `t4`.`session` = 1
    )
    AND (
      `t7`.`root` IS NOT NULL
    )
    AND (
      `t4`.`gap` IS NULL
    )
    AND `t4`.`early_first`,
    `t7`.`first_repeats`,
    `t4`.`repeats`
  ) AS `repeats`,
  IF(
    (
      `t4`.`gap` IS NULL
    )
    AND NOT (
      (
        `t4`.`session` = 1
      )
      AND (
        `t7`.`root` IS NOT NULL
      )
      AND (
        `t4`.`gap` IS NULL
      )
      AND `t4`.`early_first`
    ),
    `t4`.`search_id`,
    CAST(NULL AS STRING)
  ) AS `first_search_id`,
  IF(
    (
      `t4`.`session` = 1
    ) AND (
      `t7`.`root` IS NOT NULL
    ),
    `t7`.`root`,
    (
      (
        (
          `t5`.`user_no` * 4096
        ) + (
          CAST(`t4`.`day_no` AS BIGINT) - 20148
        )
      ) * 8388608
    ) + CAST(`t4`.`session` AS BIGINT)
  ) AS `session`,
  CAST(IF(
    (
      `t4`.`session` = 1
    ) AND (
      `t7`.`root` IS NOT NULL
    ),
    CAST(`t4`.`position` AS BIGINT) + `t7`.`offset`,
    CAST(`t4`.`position` AS BIGINT)
  ) AS INT) AS `position`,
  IF(
    (
      `t4`.`session` = 1
    )
    AND (
      `t7`.`root` IS NOT NULL
    )
    AND (
      `t4`.`gap` IS NULL
    )
    AND `t4`.`early_first`,
    `t7`.`first_gap`,
    `t4`.`gap`
  ) AS `gap`
FROM `day_searches` AS `t4`
INNER JOIN `users` AS `t5`
  ON `t4`.`user_id` = `t5`.`user_id`
INNER JOIN `queries` AS `t6`
  ON `t4`.`query` = `t6`.`query`
LEFT OUTER JOIN `continued_days` AS `t7`
  ON `t5`.`user_no` = `t7`.`of_user` AND `t4`.`day_no` = `t7`.`of_day`;
