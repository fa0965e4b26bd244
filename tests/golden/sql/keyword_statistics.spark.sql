-- step: keyword_months
SELECT
  `t4`.`keyword_id`,
  `t4`.`month`,
  `t4`.`searches`,
  `t2`.`complete`,
  `t2`.`recency`
FROM (
  SELECT
    `t0`.`keyword_id`,
    CAST(DATE_TRUNC('month', `t0`.`ts`) AS DATE) AS `month`,
    COUNT(*) AS `searches`
  FROM `session_searches` AS `t0`
  GROUP BY
    1,
    2
) AS `t4`
INNER JOIN `months` AS `t2`
  ON `t4`.`month` = `t2`.`month`;

-- step: keyword_segments
SELECT
  `t0`.`keyword_id`,
  `t0`.`device`,
  `t0`.`region`,
  COUNT(*) AS `searches`
FROM `session_searches` AS `t0`
GROUP BY
  1,
  2,
  3;

-- step: keyword_spellings
SELECT
  `t4`.`keyword_id`,
  `t5`.`query`,
  `t4`.`searches`
FROM (
  SELECT
    `t0`.`keyword_id`,
    `t0`.`query_id`,
    COUNT(*) AS `searches`
  FROM `session_searches` AS `t0`
  GROUP BY
    1,
    2
) AS `t4`
INNER JOIN (
  SELECT
    `t1`.`query_id`,
    `t1`.`query`
  FROM `queries` AS `t1`
) AS `t5`
  ON `t4`.`query_id` = `t5`.`query_id`;

-- step: keyword_totals
SELECT
  `t0`.`keyword_id`,
  COUNT(*) AS `searches`,
  COUNT(DISTINCT `t0`.`user_no`) AS `users`,
  CAST(MIN(`t0`.`ts`) AS DATE) AS `first_date`,
  CAST(MAX(`t0`.`ts`) AS DATE) AS `last_date`,
  SUM(CAST(`t0`.`ads_shown` AS BIGINT)) AS `ads_shown`,
  COUNT(`t0`.`ads_shown`) AS `ads_known`
FROM `session_searches` AS `t0`
GROUP BY
  1;

-- step: bidding
SELECT
  `t12`.`keyword_id`,
  COUNT(*) AS `advertisers`
FROM (
  SELECT
    *
  FROM (
    SELECT DISTINCT
      *
    FROM (
      SELECT
        `t5`.`keyword_id`,
        `t3`.`advertiser_id`
      FROM `ad_events` AS `t3`
      INNER JOIN `queries` AS `t5`
        ON `t3`.`query` = `t5`.`query`
    ) AS `t8`
  ) AS `t9`
  UNION
  SELECT
    *
  FROM (
    SELECT DISTINCT
      `t10`.`keyword_id`,
      `t10`.`advertiser_id`
    FROM (
      SELECT
        `t4`.`advertiser_id`,
        `t4`.`campaign`,
        `t4`.`ad_group`,
        `t4`.`keyword`,
        `t4`.`match_type`,
        `t4`.`bid_micros`,
        `t4`.`status`,
        `t4`.`created_ts`,
        `t7`.`keyword_id`
      FROM `bids` AS `t4`
      INNER JOIN (
        SELECT
          `t2`.`keyword_id`,
          `t2`.`query` AS `keyword`
        FROM `queries` AS `t2`
      ) AS `t7`
        ON `t4`.`keyword` = `t7`.`keyword`
    ) AS `t10`
    WHERE
      `t10`.`status` = 'enabled'
  ) AS `t11`
) AS `t12`
GROUP BY
  1;

-- step: ad_counts
SELECT
  `t4`.`keyword_id`,
  SUM(CAST(`t4`.`event` = 'impression' AS BIGINT)) AS `ad_impressions`,
  SUM(CAST(`t4`.`event` = 'click' AS BIGINT)) AS `ad_clicks`
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
GROUP BY
  1;

-- step: top_of_page_prices
SELECT
  `t6`.`keyword_id`,
  MAX(
    IF(
      (
        (
          (
            `t6`.`rank` - 1
          ) * 100
        ) < (
          `t6`.`number` * 20
        )
      )
      AND (
        (
          `t6`.`number` * 20
        ) <= (
          `t6`.`rank` * 100
        )
      ),
      `t6`.`cost_micros`,
      NULL
    )
  ) AS `low_bid`,
  MAX(
    IF(
      (
        (
          (
            `t6`.`rank` - 1
          ) * 100
        ) < (
          `t6`.`number` * 80
        )
      )
      AND (
        (
          `t6`.`number` * 80
        ) <= (
          `t6`.`rank` * 100
        )
      ),
      `t6`.`cost_micros`,
      NULL
    )
  ) AS `high_bid`
FROM (
  SELECT
    `t5`.`keyword_id`,
    `t5`.`cost_micros`,
    (
      ROW_NUMBER() OVER (PARTITION BY `t5`.`keyword_id` ORDER BY `t5`.`cost_micros` ASC NULLS LAST) - 1
    ) + 1 AS `rank`,
    COUNT(*) OVER (
      PARTITION BY `t5`.`keyword_id`
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS `number`
  FROM (
    SELECT
      *
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
      `t4`.`event` = 'click' AND `t4`.`position` <= 4 AND `t4`.`cost_micros` IS NOT NULL
  ) AS `t5`
) AS `t6`
GROUP BY
  1;

-- step: keyword_statistics
SELECT
  `t26`.`keyword_id`,
  `t26`.`searches`,
  `t26`.`users`,
  `t26`.`first_date`,
  `t26`.`last_date`,
  `t26`.`ads_shown`,
  `t26`.`ads_known`,
  `t26`.`avg_monthly_searches`,
  `t26`.`change_3m`,
  `t26`.`change_yoy`,
  `t26`.`clicks`,
  `t26`.`advertisers`,
  `t26`.`ad_impressions`,
  `t26`.`ad_clicks`,
  `t26`.`low_bid` AS `low_top_of_page_bid_micros`,
  `t26`.`high_bid` AS `high_top_of_page_bid_micros`,
  `t26`.`competition_index`,
  CAST(`t26`.`ad_clicks` AS DOUBLE) / NULLIF(`t26`.`ad_impressions`, 0) AS `ad_ctr`,
  CASE
    WHEN `t26`.`competition_index` IS NULL OR ISNAN(`t26`.`competition_index`)
    THEN CAST(NULL AS STRING)
    WHEN `t26`.`competition_index` < 34
    THEN 'LOW'
    WHEN `t26`.`competition_index` < 67
    THEN 'MEDIUM'
    ELSE 'HIGH'
  END AS `competition`
FROM (
  SELECT
    `t25`.`keyword_id`,
    `t25`.`searches`,
    `t25`.`users`,
    `t25`.`first_date`,
    `t25`.`last_date`,
    `t25`.`ads_shown`,
    `t25`.`ads_known`,
    `t25`.`avg_monthly_searches`,
    `t25`.`change_3m`,
    `t25`.`change_yoy`,
    `t25`.`clicks`,
    COALESCE(`t25`.`advertisers`, 0) AS `advertisers`,
    COALESCE(`t25`.`ad_impressions`, 0) AS `ad_impressions`,
    COALESCE(`t25`.`ad_clicks`, 0) AS `ad_clicks`,
    `t25`.`low_bid`,
    `t25`.`high_bid`,
    IF(
      (
        (
          CAST(IF(`t25`.`ads_known` > 0, `t25`.`ads_shown`, COALESCE(`t25`.`ad_impressions`, 0)) AS DOUBLE) * 100
        ) / (
          IF(`t25`.`ads_known` > 0, `t25`.`ads_known`, `t25`.`searches`) * 8
        )
      ) > 100.0,
      100.0,
      (
        CAST(IF(`t25`.`ads_known` > 0, `t25`.`ads_shown`, COALESCE(`t25`.`ad_impressions`, 0)) AS DOUBLE) * 100
      ) / (
        IF(`t25`.`ads_known` > 0, `t25`.`ads_known`, `t25`.`searches`) * 8
      )
    ) AS `competition_index`
  FROM (
    SELECT
      `t24`.`keyword_id`,
      `t24`.`searches`,
      `t24`.`users`,
      `t24`.`first_date`,
      `t24`.`last_date`,
      `t24`.`ads_shown`,
      `t24`.`ads_known`,
      `t24`.`avg_monthly_searches`,
      `t24`.`change_3m`,
      `t24`.`change_yoy`,
      `t24`.`clicks`,
      `t24`.`advertisers`,
      `t24`.`ad_impressions`,
      `t24`.`ad_clicks`,
      `t24`.`low_bid`,
      `t24`.`high_bid`
    FROM (
      SELECT
        `t23`.`keyword_id`,
        `t23`.`searches`,
        `t23`.`users`,
        `t23`.`first_date`,
        `t23`.`last_date`,
        `t23`.`ads_shown`,
        `t23`.`ads_known`,
        `t23`.`avg_monthly_searches`,
        `t23`.`change_3m`,
        `t23`.`change_yoy`,
        `t23`.`clicks`,
        `t21`.`keyword_id` AS `keyword_id_right`,
        `t21`.`advertisers`,
        `t21`.`ad_impressions`,
        `t21`.`ad_clicks`,
        `t21`.`low_bid`,
        `t21`.`high_bid`
      FROM (
        SELECT
          `t20`.`keyword_id`,
          `t20`.`searches`,
          `t20`.`users`,
          `t20`.`first_date`,
          `t20`.`last_date`,
          `t20`.`ads_shown`,
          `t20`.`ads_known`,
          `t20`.`avg_monthly_searches`,
          `t20`.`change_3m`,
          `t20`.`change_yoy`,
          COALESCE(`t20`.`clicks`, 0) AS `clicks`
        FROM (
          SELECT
            `t18`.`keyword_id`,
            `t18`.`searches`,
            `t18`.`users`,
            `t18`.`first_date`,
            `t18`.`last_date`,
            `t18`.`ads_shown`,
            `t18`.`ads_known`,
            `t18`.`avg_monthly_searches`,
            `t18`.`change_3m`,
            `t18`.`change_yoy`,
            `t18`.`clicks`
          FROM (
            SELECT
              `t6`.`keyword_id`,
              `t6`.`searches`,
              `t6`.`users`,
              `t6`.`first_date`,
              `t6`.`last_date`,
              `t6`.`ads_shown`,
              `t6`.`ads_known`,
              CAST(`t15`.`year` AS DOUBLE) / 12 AS `avg_monthly_searches`,
              (
                CAST(`t15`.`quarter` AS DOUBLE) - `t15`.`quarter_before`
              ) / NULLIF(`t15`.`quarter_before`, 0) AS `change_3m`,
              (
                CAST(`t15`.`month` AS DOUBLE) - `t15`.`month_year_ago`
              ) / NULLIF(`t15`.`month_year_ago`, 0) AS `change_yoy`,
              `t11`.`keyword_id` AS `keyword_id_right`,
              `t11`.`clicks`
            FROM `keyword_totals` AS `t6`
            INNER JOIN (
              SELECT
                `t2`.`keyword_id`,
                COALESCE(
                  SUM(
                    IF((
                      `t2`.`recency` >= 0
                    ) AND (
                      `t2`.`recency` < 12
                    ), `t2`.`searches`, NULL)
                  ),
                  0
                ) AS `year`,
                COALESCE(
                  SUM(
                    IF((
                      `t2`.`recency` >= 0
                    ) AND (
                      `t2`.`recency` < 3
                    ), `t2`.`searches`, NULL)
                  ),
                  0
                ) AS `quarter`,
                COALESCE(
                  SUM(
                    IF((
                      `t2`.`recency` >= 3
                    ) AND (
                      `t2`.`recency` < 6
                    ), `t2`.`searches`, NULL)
                  ),
                  0
                ) AS `quarter_before`,
                COALESCE(
                  SUM(
                    IF((
                      `t2`.`recency` >= 0
                    ) AND (
                      `t2`.`recency` < 1
                    ), `t2`.`searches`, NULL)
                  ),
                  0
                ) AS `month`,
                COALESCE(
                  SUM(
                    IF((
                      `t2`.`recency` >= 12
                    ) AND (
                      `t2`.`recency` < 13
                    ), `t2`.`searches`, NULL)
                  ),
                  0
                ) AS `month_year_ago`
              FROM `keyword_months` AS `t2`
              GROUP BY
                1
            ) AS `t15`
              ON `t6`.`keyword_id` = `t15`.`keyword_id`
            LEFT OUTER JOIN (
              SELECT
                `t3`.`keyword_id`,
                SUM(`t3`.`clicks`) AS `clicks`
              FROM `edge_users` AS `t3`
              GROUP BY
                1
            ) AS `t11`
              ON `t6`.`keyword_id` = `t11`.`keyword_id`
          ) AS `t18`
        ) AS `t20`
      ) AS `t23`
      LEFT OUTER JOIN (
        SELECT
          `t17`.`keyword_id`,
          `t17`.`advertisers`,
          `t17`.`ad_impressions`,
          `t17`.`ad_clicks`,
          `t17`.`low_bid`,
          `t17`.`high_bid`
        FROM (
          SELECT
            `t16`.`keyword_id`,
            `t16`.`advertisers`,
            `t16`.`ad_impressions`,
            `t16`.`ad_clicks`,
            `t7`.`keyword_id` AS `keyword_id_right`,
            `t7`.`low_bid`,
            `t7`.`high_bid`
          FROM (
            SELECT
              `t12`.`keyword_id`,
              `t12`.`advertisers`,
              `t12`.`ad_impressions`,
              `t12`.`ad_clicks`
            FROM (
              SELECT
                `t8`.`keyword_id`,
                `t8`.`advertisers`,
                `t9`.`keyword_id` AS `keyword_id_right`,
                `t9`.`ad_impressions`,
                `t9`.`ad_clicks`
              FROM `bidding` AS `t8`
              LEFT OUTER JOIN `ad_counts` AS `t9`
                ON `t8`.`keyword_id` = `t9`.`keyword_id`
            ) AS `t12`
          ) AS `t16`
          LEFT OUTER JOIN `top_of_page_prices` AS `t7`
            ON `t16`.`keyword_id` = `t7`.`keyword_id`
        ) AS `t17`
      ) AS `t21`
        ON `t23`.`keyword_id` = `t21`.`keyword_id`
    ) AS `t24`
  ) AS `t25`
) AS `t26`;
