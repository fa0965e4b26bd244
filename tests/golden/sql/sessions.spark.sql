-- step: distinct_queries
SELECT
  *
FROM (
  SELECT
    *
  FROM (
    SELECT
      *
    FROM (
      SELECT DISTINCT
        `t0`.`query`
      FROM `ad_events` AS `t0`
    ) AS `t4`
    UNION
    SELECT
      *
    FROM (
      SELECT DISTINCT
        `t0`.`keyword` AS `query`
      FROM `ad_events` AS `t0`
    ) AS `t5`
  ) AS `t9`
  UNION
  SELECT
    *
  FROM (
    SELECT
      *
    FROM (
      SELECT DISTINCT
        `t1`.`keyword` AS `query`
      FROM `bids` AS `t1`
    ) AS `t6`
    UNION
    SELECT
      *
    FROM (
      SELECT
        *
      FROM (
        SELECT DISTINCT
          `t2`.`query`
        FROM `searches` AS `t2`
      ) AS `t7`
      UNION
      SELECT
        *
      FROM (
        SELECT DISTINCT
          `t3`.`query`
        FROM `clicks` AS `t3`
      ) AS `t8`
    ) AS `t10`
  ) AS `t11`
) AS `t12`
ORDER BY
  `t12`.`query` ASC NULLS LAST;

-- step: users
SELECT
  `t4`.`user_id`,
  ROW_NUMBER() OVER (ORDER BY `t4`.`user_id` ASC NULLS LAST) - 1 AS `user_no`
FROM (
  SELECT
    *
  FROM (
    SELECT DISTINCT
      `t0`.`user_id`
    FROM `searches` AS `t0`
  ) AS `t2`
  UNION
  SELECT
    *
  FROM (
    SELECT DISTINCT
      `t1`.`user_id`
    FROM `clicks` AS `t1`
  ) AS `t3`
) AS `t4`;

-- step: session_searches
SELECT
  `t7`.`user_no`,
  `t7`.`query_id`,
  `t7`.`keyword_id`,
  `t7`.`ts`,
  `t7`.`device`,
  `t7`.`region`,
  `t7`.`ads_shown`,
  `t7`.`repeats`,
  IF(`t7`.`starts`, `t7`.`search_id`, CAST(NULL AS STRING)) AS `first_search_id`,
  (
    `t7`.`user_no` * 4294967296
  ) + SUM(CAST(`t7`.`starts` AS BIGINT)) OVER (
    PARTITION BY `t7`.`user_no`
    ORDER BY `t7`.`ts` ASC NULLS LAST, `t7`.`search_id` ASC NULLS LAST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS `session`,
  CAST(SUM(CAST(NOT (
    `t7`.`repeats`
  ) AS BIGINT)) OVER (
    PARTITION BY `t7`.`user_no`
    ORDER BY `t7`.`ts` ASC NULLS LAST, `t7`.`search_id` ASC NULLS LAST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS INT) AS `position`,
  CAST(IF(
    `t7`.`starts`,
    CAST(NULL AS BIGINT),
    CAST(FLOOR((
      `t7`.`silence`
    ) / (
      100000
    )) AS BIGINT)
  ) AS INT) AS `gap`
FROM (
  SELECT
    `t6`.`user_no`,
    `t6`.`query_id`,
    `t6`.`keyword_id`,
    `t6`.`ts`,
    `t6`.`search_id`,
    `t6`.`device`,
    `t6`.`region`,
    `t6`.`ads_shown`,
    `t6`.`silence`,
    `t6`.`session_changes`,
    `t6`.`same_keyword`,
    (
      `t6`.`silence` IS NULL
    )
    OR (
      `t6`.`silence` > 1800000000
    )
    OR `t6`.`session_changes` AS `starts`,
    NOT (
      (
        `t6`.`silence` IS NULL
      )
      OR (
        `t6`.`silence` > 1800000000
      )
      OR `t6`.`session_changes`
    )
    AND `t6`.`same_keyword` AS `repeats`
  FROM (
    SELECT
      `t4`.`user_no`,
      `t5`.`query_id`,
      `t5`.`keyword_id`,
      `t3`.`ts`,
      `t3`.`search_id`,
      `t3`.`device`,
      `t3`.`region`,
      `t3`.`ads_shown`,
      DATEDIFF(
        MICROSECOND,
        LAG(`t3`.`ts`) OVER (
          PARTITION BY `t4`.`user_no`
          ORDER BY `t3`.`ts` ASC NULLS LAST, `t3`.`search_id` ASC NULLS LAST
        ),
        `t3`.`ts`
      ) AS `silence`,
      COALESCE(
        `t3`.`session_id` <> LAG(`t3`.`session_id`) OVER (
          PARTITION BY `t4`.`user_no`
          ORDER BY `t3`.`ts` ASC NULLS LAST, `t3`.`search_id` ASC NULLS LAST
        ),
        FALSE
      ) AS `session_changes`,
      `t5`.`keyword_id` = LAG(`t5`.`keyword_id`) OVER (
        PARTITION BY `t4`.`user_no`
        ORDER BY `t3`.`ts` ASC NULLS LAST, `t3`.`search_id` ASC NULLS LAST
      ) AS `same_keyword`
    FROM `searches` AS `t3`
    INNER JOIN `users` AS `t4`
      ON `t3`.`user_id` = `t4`.`user_id`
    INNER JOIN `queries` AS `t5`
      ON `t3`.`query` = `t5`.`query`
  ) AS `t6`
) AS `t7`;

-- step: all_sessions
SELECT
  `t0`.`session`,
  MIN(`t0`.`user_no`) AS `user_no`,
  MIN(`t0`.`ts`) AS `start_ts`,
  MAX(`t0`.`ts`) AS `last_ts`,
  MIN(`t0`.`first_search_id`) AS `first_search_id`,
  COUNT(*) AS `searches`,
  SUM(CAST(NOT (
    `t0`.`repeats`
  ) AS BIGINT)) AS `queries`
FROM `session_searches` AS `t0`
GROUP BY
  1;

-- step: session_events
SELECT
  `t4`.`session`,
  `t4`.`user_no`,
  `t4`.`keyword_id`,
  `t4`.`position`,
  CAST(`t4`.`ts` AS DATE) AS `day`
FROM (
  SELECT
    *
  FROM `session_searches` AS `t0`
  WHERE
    NOT (
      `t0`.`repeats`
    )
) AS `t4`
LEFT ANTI JOIN (
  SELECT
    *
  FROM `all_sessions` AS `t1`
  WHERE
    `t1`.`queries` > 100
) AS `t5`
  ON `t4`.`session` = `t5`.`session`;

-- step: session_keywords
SELECT
  `t0`.`session`,
  `t0`.`keyword_id`,
  MIN(`t0`.`user_no`) AS `user_no`,
  MIN(`t0`.`position`) AS `first_position`,
  MIN(`t0`.`day`) AS `day`
FROM `session_events` AS `t0`
GROUP BY
  1,
  2;

-- step: sessions
SELECT
  `t2`.`user_id`,
  `t4`.`start_ts`,
  `t4`.`first_search_id`,
  `t4`.`last_ts`,
  `t4`.`searches`,
  `t4`.`queries`
FROM (
  SELECT
    *
  FROM `all_sessions` AS `t0`
  WHERE
    `t0`.`queries` <= 100
) AS `t4`
INNER JOIN `users` AS `t2`
  ON `t4`.`user_no` = `t2`.`user_no`;
