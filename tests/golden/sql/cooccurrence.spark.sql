-- step: keyword_sessions
SELECT
  `t0`.`keyword_id`,
  COUNT(*) AS `sessions`,
  COUNT(DISTINCT `t0`.`user_no`) AS `users`
FROM `session_keywords` AS `t0`
GROUP BY
  1;

-- step: pairing_events
SELECT
  `t3`.`session`,
  `t3`.`user_no`,
  `t3`.`keyword_id`,
  `t3`.`position`,
  `t3`.`day`,
  `t3`.`position` = `t4`.`first_position` AS `first`
FROM `session_events` AS `t3`
LEFT SEMI JOIN (
  SELECT
    *
  FROM `keyword_sessions` AS `t2`
  WHERE
    `t2`.`users` >= 2
) AS `t6`
  ON `t3`.`keyword_id` = `t6`.`keyword_id`
INNER JOIN `session_keywords` AS `t4`
  ON `t3`.`session` = `t4`.`session` AND `t3`.`keyword_id` = `t4`.`keyword_id`;

-- step: session_pairs
SELECT
  *
FROM (
  SELECT
    `t7`.`low_id`,
    `t7`.`high_id`,
    SUM(`t7`.`step_weight`) AS `weight`,
    SUM(`t7`.`both_first`) AS `sessions`,
    COUNT(DISTINCT `t7`.`user_no`) AS `users`,
    MIN(`t7`.`day`) AS `first_date`,
    MAX(`t7`.`day`) AS `last_date`,
    CAST(NULL AS DOUBLE) AS `recency`
  FROM (
    SELECT
      `t2`.`steps`,
      `t2`.`step_weight`,
      `t6`.`low_id`,
      `t6`.`high_id`,
      `t6`.`user_no`,
      `t6`.`both_first`,
      `t6`.`day`
    FROM `decay` AS `t2`
    INNER JOIN (
      SELECT
        LEAST(`t3`.`keyword_id`, `t4`.`keyword_id`) AS `low_id`,
        GREATEST(`t3`.`keyword_id`, `t4`.`keyword_id`) AS `high_id`,
        `t4`.`position` - `t3`.`position` AS `steps`,
        `t3`.`user_no`,
        CAST(`t3`.`first` AND `t4`.`first` AS BIGINT) AS `both_first`,
        `t4`.`day`
      FROM `pairing_events` AS `t3`
      INNER JOIN `pairing_events` AS `t4`
        ON `t3`.`session` = `t4`.`session`
        AND `t3`.`position` < `t4`.`position`
        AND `t3`.`keyword_id` <> `t4`.`keyword_id`
    ) AS `t6`
      ON `t2`.`steps` = `t6`.`steps`
  ) AS `t7`
  GROUP BY
    1,
    2
) AS `t8`
WHERE
  `t8`.`users` >= 2;

-- step: cooccurrence
SELECT
  CAST(`t3`.`weight` AS DOUBLE) / 4294967296 AS `weight`,
  `t3`.`sessions`,
  `t3`.`users`,
  `t3`.`first_date`,
  `t3`.`last_date`,
  `t3`.`recency`,
  `t3`.`keyword_id`,
  `t3`.`neighbor_id`
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
  ) AS `t1`
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
  ) AS `t2`
) AS `t3`;
