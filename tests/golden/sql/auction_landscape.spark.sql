-- step: searched_weeks
SELECT
  `t0`.`keyword_id`,
  CAST(DATE_TRUNC('week', `t0`.`ts`) AS DATE) AS `week`,
  COUNT(*) AS `searches`
FROM `session_searches` AS `t0`
GROUP BY
  1,
  2;

-- step: repeated_clicks
SELECT
  *
FROM (
  SELECT
    `t5`.`user_id`,
    `t5`.`advertiser_id`,
    `t5`.`week`,
    COUNT(*) AS `repeated`
  FROM (
    SELECT
      `t4`.`ts`,
      `t4`.`search_id`,
      `t4`.`user_id`,
      `t4`.`query`,
      `t4`.`advertiser_id`,
      `t4`.`keyword`,
      `t4`.`match_type`,
      `t4`.`position`,
      `t4`.`event`,
      `t4`.`cost_micros`,
      `t4`.`value_micros`,
      `t4`.`ip`,
      `t4`.`user_agent`,
      `t4`.`query_id`,
      `t4`.`keyword_id`,
      CAST(DATE_TRUNC('week', `t4`.`ts`) AS DATE) AS `week`
    FROM (
      SELECT
        `t2`.`ts`,
        `t2`.`search_id`,
        `t2`.`user_id`,
        `t2`.`query`,
        `t2`.`advertiser_id`,
        `t2`.`keyword`,
        `t2`.`match_type`,
        `t2`.`position`,
        `t2`.`event`,
        `t2`.`cost_micros`,
        `t2`.`value_micros`,
        `t2`.`ip`,
        `t2`.`user_agent`,
        `t3`.`query_id`,
        `t3`.`keyword_id`
      FROM `ad_events` AS `t2`
      INNER JOIN `queries` AS `t3`
        ON `t2`.`query` = `t3`.`query`
    ) AS `t4`
    WHERE
      `t4`.`event` = 'click'
  ) AS `t5`
  GROUP BY
    1,
    2,
    3
) AS `t6`
WHERE
  `t6`.`repeated` > 2;

-- step: counted_ad_events
SELECT
  `t9`.`ts`,
  `t9`.`search_id`,
  `t9`.`user_id`,
  `t9`.`query`,
  `t9`.`advertiser_id`,
  `t9`.`keyword`,
  `t9`.`match_type`,
  `t9`.`position`,
  `t9`.`event`,
  `t9`.`cost_micros`,
  `t9`.`value_micros`,
  `t9`.`ip`,
  `t9`.`user_agent`,
  `t9`.`query_id`,
  `t9`.`keyword_id`
FROM (
  SELECT
    `t8`.`ts`,
    `t8`.`search_id`,
    `t8`.`user_id`,
    `t8`.`query`,
    `t8`.`advertiser_id`,
    `t8`.`keyword`,
    `t8`.`match_type`,
    `t8`.`position`,
    `t8`.`event`,
    `t8`.`cost_micros`,
    `t8`.`value_micros`,
    `t8`.`ip`,
    `t8`.`user_agent`,
    `t8`.`query_id`,
    `t8`.`keyword_id`,
    `t8`.`week`,
    `t3`.`user_id` AS `user_id_right`,
    `t3`.`advertiser_id` AS `advertiser_id_right`,
    `t3`.`week` AS `week_right`,
    `t3`.`repeated`
  FROM (
    SELECT
      `t6`.`ts`,
      `t6`.`search_id`,
      `t6`.`user_id`,
      `t6`.`query`,
      `t6`.`advertiser_id`,
      `t6`.`keyword`,
      `t6`.`match_type`,
      `t6`.`position`,
      `t6`.`event`,
      `t6`.`cost_micros`,
      `t6`.`value_micros`,
      `t6`.`ip`,
      `t6`.`user_agent`,
      `t6`.`query_id`,
      `t6`.`keyword_id`,
      CAST(DATE_TRUNC('week', `t6`.`ts`) AS DATE) AS `week`
    FROM (
      SELECT
        `t4`.`ts`,
        `t4`.`search_id`,
        `t4`.`user_id`,
        `t4`.`query`,
        `t4`.`advertiser_id`,
        `t4`.`keyword`,
        `t4`.`match_type`,
        `t4`.`position`,
        `t4`.`event`,
        `t4`.`cost_micros`,
        `t4`.`value_micros`,
        `t4`.`ip`,
        `t4`.`user_agent`,
        `t5`.`query_id`,
        `t5`.`keyword_id`
      FROM `ad_events` AS `t4`
      INNER JOIN `queries` AS `t5`
        ON `t4`.`query` = `t5`.`query`
    ) AS `t6`
  ) AS `t8`
  LEFT OUTER JOIN `repeated_clicks` AS `t3`
    ON `t8`.`user_id` = `t3`.`user_id`
    AND `t8`.`advertiser_id` = `t3`.`advertiser_id`
    AND `t8`.`week` = `t3`.`week`
) AS `t9`
WHERE
  (
    `t9`.`event` = 'impression'
  ) OR (
    `t9`.`repeated` IS NULL
  );

-- step: raw_slots
SELECT
  `t1`.`position`,
  COALESCE(
    CAST(FLOOR((
      `t1`.`clicks` * 1000000
    ) / (
      NULLIF(`t1`.`shows`, 0)
    )) AS BIGINT),
    0
  ) AS `rate`
FROM (
  SELECT
    `t0`.`position`,
    SUM(CAST(`t0`.`event` = 'click' AS BIGINT)) AS `clicks`,
    SUM(CAST(`t0`.`event` = 'impression' AS BIGINT)) AS `shows`
  FROM `counted_ad_events` AS `t0`
  GROUP BY
    1
) AS `t1`;

-- step: advertiser_ratios
SELECT
  `t5`.`advertiser_id`,
  CAST(ROUND(
    (
      (
        CAST(`t5`.`clicks` AS DOUBLE) + 30.0
      ) / (
        (
          CAST(`t5`.`expected` AS DOUBLE) / 1000000.0
        ) + 30.0
      )
    ) * 1000000.0,
    0
  ) AS BIGINT) AS `ratio`
FROM (
  SELECT
    `t4`.`advertiser_id`,
    SUM(CAST(`t4`.`event` = 'click' AS BIGINT)) AS `clicks`,
    COALESCE(SUM(IF(`t4`.`event` = 'impression', `t4`.`rate`, NULL)), 0) AS `expected`
  FROM (
    SELECT
      `t2`.`ts`,
      `t2`.`search_id`,
      `t2`.`user_id`,
      `t2`.`query`,
      `t2`.`advertiser_id`,
      `t2`.`keyword`,
      `t2`.`match_type`,
      `t2`.`position`,
      `t2`.`event`,
      `t2`.`cost_micros`,
      `t2`.`value_micros`,
      `t2`.`ip`,
      `t2`.`user_agent`,
      `t2`.`query_id`,
      `t2`.`keyword_id`,
      `t3`.`rate`
    FROM `counted_ad_events` AS `t2`
    INNER JOIN `raw_slots` AS `t3`
      ON `t2`.`position` = `t3`.`position`
  ) AS `t4`
  GROUP BY
    1
) AS `t5`;

-- step: mean_ratio
SELECT
  SUM(`t0`.`ratio`) AS `total`,
  COUNT(*) AS `advertisers`
FROM `advertiser_ratios` AS `t0`;

-- step: advertiser_quality
SELECT
  `t4`.`advertiser_id`,
  CAST(ROUND(
    (
      (
        CAST(`t4`.`ratio` AS DOUBLE) * `t5`.`advertisers`
      ) / `t5`.`total`
    ) * 1000.0,
    0
  ) AS BIGINT) AS `quality`
FROM (
  SELECT
    `t0`.`advertiser_id`,
    `t0`.`ratio`,
    1 AS `one`
  FROM `advertiser_ratios` AS `t0`
) AS `t4`
INNER JOIN (
  SELECT
    `t1`.`total`,
    `t1`.`advertisers`,
    1 AS `one`
  FROM `mean_ratio` AS `t1`
) AS `t5`
  ON `t4`.`one` = `t5`.`one`;

-- step: slot_rates
SELECT
  `t5`.`position`,
  `t5`.`impressions`,
  `t5`.`quality_impressions`,
  `t5`.`clicks`,
  `t5`.`cost_micros`,
  `t5`.`conversions`,
  `t5`.`value_micros`,
  COALESCE(
    CAST(FLOOR((
      `t5`.`clicks` * 1000000000
    ) / (
      NULLIF(`t5`.`quality_impressions`, 0)
    )) AS BIGINT),
    0
  ) AS `rate`
FROM (
  SELECT
    `t4`.`position`,
    SUM(CAST(`t4`.`event` = 'impression' AS BIGINT)) AS `impressions`,
    COALESCE(SUM(IF(`t4`.`event` = 'impression', `t4`.`quality`, NULL)), 0) AS `quality_impressions`,
    SUM(CAST(`t4`.`event` = 'click' AS BIGINT)) AS `clicks`,
    COALESCE(SUM(IF(`t4`.`event` = 'click', `t4`.`cost_micros`, NULL)), 0) AS `cost_micros`,
    SUM(CAST(`t4`.`event` = 'conversion' AS BIGINT)) AS `conversions`,
    COALESCE(SUM(IF(`t4`.`event` = 'conversion', `t4`.`value_micros`, NULL)), 0) AS `value_micros`
  FROM (
    SELECT
      `t2`.`ts`,
      `t2`.`search_id`,
      `t2`.`user_id`,
      `t2`.`query`,
      `t2`.`advertiser_id`,
      `t2`.`keyword`,
      `t2`.`match_type`,
      `t2`.`position`,
      `t2`.`event`,
      `t2`.`cost_micros`,
      `t2`.`value_micros`,
      `t2`.`ip`,
      `t2`.`user_agent`,
      `t2`.`query_id`,
      `t2`.`keyword_id`,
      `t3`.`quality`
    FROM `counted_ad_events` AS `t2`
    INNER JOIN `advertiser_quality` AS `t3`
      ON `t2`.`advertiser_id` = `t3`.`advertiser_id`
  ) AS `t4`
  GROUP BY
    1
) AS `t5`;

-- step: lowest_ads
SELECT
  `t1`.`search_id`,
  MAX(`t1`.`position`) AS `lowest`
FROM (
  SELECT
    *
  FROM `counted_ad_events` AS `t0`
  WHERE
    `t0`.`event` = 'impression' AND `t0`.`search_id` IS NOT NULL
) AS `t1`
GROUP BY
  1;

-- step: advertised_weeks
SELECT
  `t12`.`keyword_id`,
  CAST(DATE_TRUNC('week', `t12`.`ts`) AS DATE) AS `week`,
  SUM(CAST(`t12`.`event` = 'impression' AS BIGINT)) AS `impressions`,
  COALESCE(SUM(IF(`t12`.`event` = 'impression', `t12`.`expected`, NULL)), 0) AS `expected_clicks_micros`,
  SUM(CAST(`t12`.`event` = 'click' AS BIGINT)) AS `clicks`,
  COALESCE(SUM(IF(`t12`.`event` = 'click', `t12`.`cost_micros`, NULL)), 0) AS `cost_micros`,
  COALESCE(
    SUM(
      CAST((
        `t12`.`event` = 'click'
      )
      AND (
        `t12`.`position` = `t12`.`lowest`
      )
      AND (
        `t12`.`cost_micros` IS NOT NULL
      )
      AND (
        `t12`.`match_type` = 'exact'
      ) AS INT)
    ),
    0
  ) AS `last_clicks`,
  COALESCE(
    SUM(
      IF(
        (
          `t12`.`event` = 'click'
        )
        AND (
          `t12`.`position` = `t12`.`lowest`
        )
        AND (
          `t12`.`cost_micros` IS NOT NULL
        )
        AND (
          `t12`.`match_type` = 'exact'
        ),
        `t12`.`cost_micros`,
        NULL
      )
    ),
    0
  ) AS `last_cost_micros`,
  SUM(CAST(`t12`.`event` = 'conversion' AS BIGINT)) AS `conversions`,
  COALESCE(SUM(IF(`t12`.`event` = 'conversion', `t12`.`value_micros`, NULL)), 0) AS `value_micros`
FROM (
  SELECT
    `t11`.`ts`,
    `t11`.`search_id`,
    `t11`.`user_id`,
    `t11`.`query`,
    `t11`.`advertiser_id`,
    `t11`.`keyword`,
    `t11`.`match_type`,
    `t11`.`position`,
    `t11`.`event`,
    `t11`.`cost_micros`,
    `t11`.`value_micros`,
    `t11`.`ip`,
    `t11`.`user_agent`,
    `t11`.`query_id`,
    `t11`.`keyword_id`,
    `t11`.`rate`,
    `t11`.`quality`,
    `t11`.`expected`,
    `t4`.`search_id` AS `search_id_right`,
    `t4`.`lowest`
  FROM (
    SELECT
      `t9`.`ts`,
      `t9`.`search_id`,
      `t9`.`user_id`,
      `t9`.`query`,
      `t9`.`advertiser_id`,
      `t9`.`keyword`,
      `t9`.`match_type`,
      `t9`.`position`,
      `t9`.`event`,
      `t9`.`cost_micros`,
      `t9`.`value_micros`,
      `t9`.`ip`,
      `t9`.`user_agent`,
      `t9`.`query_id`,
      `t9`.`keyword_id`,
      `t9`.`rate`,
      `t9`.`quality`,
      CAST(FLOOR((
        `t9`.`rate` * `t9`.`quality`
      ) / (
        1000
      )) AS BIGINT) AS `expected`
    FROM (
      SELECT
        `t5`.`ts`,
        `t5`.`search_id`,
        `t5`.`user_id`,
        `t5`.`query`,
        `t5`.`advertiser_id`,
        `t5`.`keyword`,
        `t5`.`match_type`,
        `t5`.`position`,
        `t5`.`event`,
        `t5`.`cost_micros`,
        `t5`.`value_micros`,
        `t5`.`ip`,
        `t5`.`user_agent`,
        `t5`.`query_id`,
        `t5`.`keyword_id`,
        `t8`.`rate`,
        `t6`.`quality`
      FROM `counted_ad_events` AS `t5`
      INNER JOIN (
        SELECT
          `t3`.`position`,
          `t3`.`rate`
        FROM `slot_rates` AS `t3`
      ) AS `t8`
        ON `t5`.`position` = `t8`.`position`
      INNER JOIN `advertiser_quality` AS `t6`
        ON `t5`.`advertiser_id` = `t6`.`advertiser_id`
    ) AS `t9`
  ) AS `t11`
  LEFT OUTER JOIN `lowest_ads` AS `t4`
    ON `t11`.`search_id` = `t4`.`search_id`
) AS `t12`
GROUP BY
  1,
  2;

-- step: keyword_weeks
SELECT
  `t14`.`keyword_id`,
  `t14`.`week`,
  COALESCE(`t14`.`searches`, 0) AS `searches`,
  COALESCE(`t14`.`impressions`, 0) AS `impressions`,
  COALESCE(`t14`.`expected_clicks_micros`, 0) AS `expected_clicks_micros`,
  COALESCE(`t14`.`clicks`, 0) AS `clicks`,
  COALESCE(`t14`.`cost_micros`, 0) AS `cost_micros`,
  COALESCE(`t14`.`last_clicks`, 0) AS `last_clicks`,
  COALESCE(`t14`.`last_cost_micros`, 0) AS `last_cost_micros`,
  COALESCE(`t14`.`conversions`, 0) AS `conversions`,
  COALESCE(`t14`.`value_micros`, 0) AS `value_micros`
FROM (
  SELECT
    `t13`.`keyword_id`,
    `t13`.`week`,
    `t13`.`searches`,
    `t13`.`impressions`,
    `t13`.`expected_clicks_micros`,
    `t13`.`clicks`,
    `t13`.`cost_micros`,
    `t13`.`last_clicks`,
    `t13`.`last_cost_micros`,
    `t13`.`conversions`,
    `t13`.`value_micros`
  FROM (
    SELECT
      `t12`.`keyword_id`,
      `t12`.`week`,
      `t12`.`searches`,
      `t12`.`week_right`,
      `t12`.`impressions`,
      `t12`.`expected_clicks_micros`,
      `t12`.`clicks`,
      `t12`.`cost_micros`,
      `t12`.`last_clicks`,
      `t12`.`last_cost_micros`,
      `t12`.`conversions`,
      `t12`.`value_micros`
    FROM (
      SELECT
        `t11`.`keyword_id`,
        `t11`.`week`,
        `t11`.`searches`,
        `t2`.`keyword_id` AS `keyword_id_right`,
        `t2`.`week` AS `week_right`,
        `t2`.`impressions`,
        `t2`.`expected_clicks_micros`,
        `t2`.`clicks`,
        `t2`.`cost_micros`,
        `t2`.`last_clicks`,
        `t2`.`last_cost_micros`,
        `t2`.`conversions`,
        `t2`.`value_micros`
      FROM (
        SELECT
          `t9`.`keyword_id`,
          `t9`.`week`,
          `t9`.`searches`
        FROM (
          SELECT
            `t8`.`keyword_id`,
            `t8`.`week`,
            `t8`.`week_right`,
            `t8`.`searches`
          FROM (
            SELECT
              `t7`.`keyword_id`,
              `t7`.`week`,
              `t3`.`keyword_id` AS `keyword_id_right`,
              `t3`.`week` AS `week_right`,
              `t3`.`searches`
            FROM (
              SELECT
                *
              FROM (
                SELECT
                  `t1`.`keyword_id`,
                  `t1`.`week`
                FROM `searched_weeks` AS `t1`
              ) AS `t5`
              UNION
              SELECT
                *
              FROM (
                SELECT
                  `t0`.`keyword_id`,
                  `t0`.`week`
                FROM `advertised_weeks` AS `t0`
              ) AS `t4`
            ) AS `t7`
            LEFT OUTER JOIN `searched_weeks` AS `t3`
              ON `t7`.`keyword_id` = `t3`.`keyword_id` AND `t7`.`week` = `t3`.`week`
          ) AS `t8`
        ) AS `t9`
      ) AS `t11`
      LEFT OUTER JOIN `advertised_weeks` AS `t2`
        ON `t11`.`keyword_id` = `t2`.`keyword_id` AND `t11`.`week` = `t2`.`week`
    ) AS `t12`
  ) AS `t13`
) AS `t14`;

-- step: latest_pages
SELECT
  *
FROM (
  SELECT
    `t5`.`keyword_id`,
    `t5`.`search_id`,
    ROW_NUMBER() OVER (PARTITION BY `t5`.`keyword_id` ORDER BY `t5`.`ts` DESC, `t5`.`search_id` DESC) - 1 AS `rank`
  FROM (
    SELECT
      *
    FROM (
      SELECT
        `t2`.`search_id`,
        `t2`.`ts`,
        `t2`.`user_id`,
        `t2`.`session_id`,
        `t2`.`query`,
        `t2`.`region`,
        `t2`.`device`,
        `t2`.`client`,
        `t2`.`results`,
        `t2`.`ads_shown`,
        `t3`.`query_id`,
        `t3`.`keyword_id`
      FROM `searches` AS `t2`
      INNER JOIN `queries` AS `t3`
        ON `t2`.`query` = `t3`.`query`
    ) AS `t4`
    WHERE
      `t4`.`search_id` IS NOT NULL
  ) AS `t5`
) AS `t6`
WHERE
  `t6`.`rank` < 300;

-- step: chosen_pages
SELECT
  `t4`.`keyword_id`,
  `t4`.`search_id`,
  CAST(FLOOR(
    (
      `t4`.`rank`
    ) / (
      CAST(FLOOR((
        `t4`.`pages` + 23
      ) / (
        24
      )) AS BIGINT)
    )
  ) AS BIGINT) AS `page`
FROM (
  SELECT
    `t1`.`keyword_id`,
    `t1`.`search_id`,
    `t1`.`rank`,
    `t3`.`pages`
  FROM `latest_pages` AS `t1`
  INNER JOIN (
    SELECT
      `t0`.`keyword_id`,
      COUNT(*) AS `pages`
    FROM `latest_pages` AS `t0`
    GROUP BY
      1
  ) AS `t3`
    ON `t1`.`keyword_id` = `t3`.`keyword_id`
) AS `t4`
WHERE
  (
    `t4`.`rank` % CAST(FLOOR((
      `t4`.`pages` + 23
    ) / (
      24
    )) AS BIGINT)
  ) = 0;

-- step: page_slots
SELECT
  `t9`.`search_id`,
  MAX(IF(`t9`.`position` = 1, `t9`.`bid`, NULL)) AS `slot_1`,
  MAX(IF(`t9`.`position` = 2, `t9`.`bid`, NULL)) AS `slot_2`,
  MAX(IF(`t9`.`position` = 3, `t9`.`bid`, NULL)) AS `slot_3`,
  MAX(IF(`t9`.`position` = 4, `t9`.`bid`, NULL)) AS `slot_4`,
  MAX(IF(`t9`.`position` = 5, `t9`.`bid`, NULL)) AS `slot_5`,
  MAX(IF(`t9`.`position` = 6, `t9`.`bid`, NULL)) AS `slot_6`,
  MAX(IF(`t9`.`position` = 7, `t9`.`bid`, NULL)) AS `slot_7`,
  MAX(IF(`t9`.`position` = 8, `t9`.`bid`, NULL)) AS `slot_8`
FROM (
  SELECT
    `t6`.`search_id`,
    `t6`.`position`,
    CAST(FLOOR((
      `t8`.`bid_micros` * `t3`.`quality`
    ) / (
      1000
    )) AS BIGINT) AS `bid`
  FROM (
    SELECT DISTINCT
      `t0`.`search_id`,
      `t0`.`advertiser_id`,
      `t0`.`keyword`,
      `t0`.`match_type`,
      `t0`.`position`
    FROM `counted_ad_events` AS `t0`
    WHERE
      `t0`.`event` = 'impression' AND `t0`.`search_id` IS NOT NULL
  ) AS `t6`
  INNER JOIN (
    SELECT
      `t5`.`advertiser_id`,
      `t5`.`keyword`,
      `t5`.`match_type`,
      MAX(`t5`.`bid_micros`) AS `bid_micros`
    FROM (
      SELECT
        *
      FROM `bids` AS `t2`
      WHERE
        `t2`.`status` = 'enabled'
    ) AS `t5`
    GROUP BY
      1,
      2,
      3
  ) AS `t8`
    ON `t6`.`advertiser_id` = `t8`.`advertiser_id`
    AND `t6`.`keyword` = `t8`.`keyword`
    AND `t6`.`match_type` = `t8`.`match_type`
  INNER JOIN `advertiser_quality` AS `t3`
    ON `t6`.`advertiser_id` = `t3`.`advertiser_id`
) AS `t9`
GROUP BY
  1;

-- step: auction_pages
SELECT
  `t5`.`keyword_id`,
  `t5`.`page`,
  `t5`.`slot_1`,
  `t5`.`slot_2`,
  `t5`.`slot_3`,
  `t5`.`slot_4`,
  `t5`.`slot_5`,
  `t5`.`slot_6`,
  `t5`.`slot_7`,
  `t5`.`slot_8`
FROM (
  SELECT
    `t4`.`keyword_id`,
    `t4`.`search_id`,
    `t4`.`page`,
    `t4`.`slot_1`,
    `t4`.`slot_2`,
    `t4`.`slot_3`,
    `t4`.`slot_4`,
    `t4`.`slot_5`,
    `t4`.`slot_6`,
    `t4`.`slot_7`,
    `t4`.`slot_8`
  FROM (
    SELECT
      `t2`.`keyword_id`,
      `t2`.`search_id`,
      `t2`.`page`,
      `t3`.`search_id` AS `search_id_right`,
      `t3`.`slot_1`,
      `t3`.`slot_2`,
      `t3`.`slot_3`,
      `t3`.`slot_4`,
      `t3`.`slot_5`,
      `t3`.`slot_6`,
      `t3`.`slot_7`,
      `t3`.`slot_8`
    FROM `chosen_pages` AS `t2`
    LEFT OUTER JOIN `page_slots` AS `t3`
      ON `t2`.`search_id` = `t3`.`search_id`
  ) AS `t4`
) AS `t5`;

-- step: match_shares
SELECT
  `t7`.`advertiser_id`,
  `t7`.`match_type`,
  COUNT(*) AS `queries`,
  SUM(`t7`.`impressions`) AS `impressions`,
  SUM(`t7`.`searches`) AS `searches`
FROM (
  SELECT
    `t6`.`advertiser_id`,
    `t6`.`match_type`,
    `t6`.`keyword_id`,
    `t6`.`impressions`,
    `t4`.`searches`
  FROM (
    SELECT
      `t2`.`advertiser_id`,
      `t2`.`match_type`,
      `t2`.`keyword_id`,
      COUNT(*) AS `impressions`
    FROM (
      SELECT
        *
      FROM `counted_ad_events` AS `t0`
      WHERE
        `t0`.`event` = 'impression'
    ) AS `t2`
    GROUP BY
      1,
      2,
      3
  ) AS `t6`
  INNER JOIN (
    SELECT
      *
    FROM `keyword_totals` AS `t1`
    WHERE
      `t1`.`searches` >= 30
  ) AS `t4`
    ON `t6`.`keyword_id` = `t4`.`keyword_id`
) AS `t7`
GROUP BY
  1,
  2;
