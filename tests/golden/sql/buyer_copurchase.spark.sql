-- step: accounts
SELECT
  `t11`.`advertiser_id`,
  ROW_NUMBER() OVER (ORDER BY `t11`.`advertiser_id` ASC NULLS LAST) - 1 AS `advertiser_no`
FROM (
  SELECT DISTINCT
    `t10`.`advertiser_id`
  FROM (
    SELECT
      *
    FROM (
      SELECT
        `t8`.`advertiser_id`,
        `t8`.`keyword_id`,
        CAST(`t8`.`created_ts` AS DATE) AS `day`
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
          `t6`.`keyword_id`
        FROM `bids` AS `t4`
        INNER JOIN (
          SELECT
            `t2`.`keyword_id`,
            `t2`.`query` AS `keyword`
          FROM `queries` AS `t2`
        ) AS `t6`
          ON `t4`.`keyword` = `t6`.`keyword`
      ) AS `t8`
      WHERE
        `t8`.`status` <> 'removed'
    ) AS `t9`
    UNION ALL
    SELECT
      *
    FROM (
      SELECT
        `t3`.`advertiser_id`,
        `t6`.`keyword_id`,
        CAST(`t3`.`ts` AS DATE) AS `day`
      FROM `ad_events` AS `t3`
      INNER JOIN (
        SELECT
          `t2`.`keyword_id`,
          `t2`.`query` AS `keyword`
        FROM `queries` AS `t2`
      ) AS `t6`
        ON `t3`.`keyword` = `t6`.`keyword`
    ) AS `t7`
  ) AS `t10`
) AS `t11`;

-- step: purchases
SELECT
  `t17`.`advertiser_no`,
  `t17`.`keyword_id`,
  `t17`.`first_date`,
  `t17`.`last_date`
FROM (
  SELECT
    *
  FROM (
    SELECT
      `t15`.`advertiser_no`,
      `t15`.`keyword_id`,
      `t15`.`first_date`,
      `t15`.`last_date`,
      COUNT(*) OVER (
        PARTITION BY `t15`.`advertiser_no`
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS `keywords`
    FROM (
      SELECT
        `t14`.`advertiser_no`,
        `t14`.`keyword_id`,
        MIN(`t14`.`day`) AS `first_date`,
        MAX(`t14`.`day`) AS `last_date`
      FROM (
        SELECT
          `t13`.`advertiser_id`,
          `t13`.`keyword_id`,
          `t13`.`day`,
          `t4`.`advertiser_no`
        FROM (
          SELECT
            *
          FROM (
            SELECT
              `t10`.`advertiser_id`,
              `t10`.`keyword_id`,
              CAST(`t10`.`created_ts` AS DATE) AS `day`
            FROM (
              SELECT
                `t6`.`advertiser_id`,
                `t6`.`campaign`,
                `t6`.`ad_group`,
                `t6`.`keyword`,
                `t6`.`match_type`,
                `t6`.`bid_micros`,
                `t6`.`status`,
                `t6`.`created_ts`,
                `t8`.`keyword_id`
              FROM `bids` AS `t6`
              INNER JOIN (
                SELECT
                  `t3`.`keyword_id`,
                  `t3`.`query` AS `keyword`
                FROM `queries` AS `t3`
              ) AS `t8`
                ON `t6`.`keyword` = `t8`.`keyword`
            ) AS `t10`
            WHERE
              `t10`.`status` <> 'removed'
          ) AS `t11`
          UNION ALL
          SELECT
            *
          FROM (
            SELECT
              `t5`.`advertiser_id`,
              `t8`.`keyword_id`,
              CAST(`t5`.`ts` AS DATE) AS `day`
            FROM `ad_events` AS `t5`
            INNER JOIN (
              SELECT
                `t3`.`keyword_id`,
                `t3`.`query` AS `keyword`
              FROM `queries` AS `t3`
            ) AS `t8`
              ON `t5`.`keyword` = `t8`.`keyword`
          ) AS `t9`
        ) AS `t13`
        INNER JOIN `accounts` AS `t4`
          ON `t13`.`advertiser_id` = `t4`.`advertiser_id`
      ) AS `t14`
      GROUP BY
        1,
        2
    ) AS `t15`
  ) AS `t16`
  WHERE
    `t16`.`keywords` <= 5000
) AS `t17`;

-- step: buyers
SELECT
  `t0`.`keyword_id`,
  COUNT(*) AS `buyers`,
  MIN(`t0`.`first_date`) AS `first_date`,
  MAX(`t0`.`last_date`) AS `last_date`
FROM `purchases` AS `t0`
GROUP BY
  1;

-- step: bought_pairs
SELECT
  *
FROM (
  SELECT
    `t7`.`low_id`,
    `t7`.`high_id`,
    COUNT(*) AS `advertisers`,
    MIN(`t7`.`first_date`) AS `first_date`,
    MAX(`t7`.`last_date`) AS `last_date`
  FROM (
    SELECT
      `t2`.`keyword_id` AS `low_id`,
      `t6`.`keyword_id` AS `high_id`,
      LEAST(`t2`.`first_date`, `t6`.`first_date`) AS `first_date`,
      GREATEST(`t2`.`last_date`, `t6`.`last_date`) AS `last_date`
    FROM `purchases` AS `t2`
    LEFT SEMI JOIN (
      SELECT
        *
      FROM `buyers` AS `t1`
      WHERE
        `t1`.`buyers` >= 2
    ) AS `t4`
      ON `t2`.`keyword_id` = `t4`.`keyword_id`
    INNER JOIN (
      SELECT
        `t2`.`advertiser_no`,
        `t2`.`keyword_id`,
        `t2`.`first_date`,
        `t2`.`last_date`
      FROM `purchases` AS `t2`
      LEFT SEMI JOIN (
        SELECT
          *
        FROM `buyers` AS `t1`
        WHERE
          `t1`.`buyers` >= 2
      ) AS `t4`
        ON `t2`.`keyword_id` = `t4`.`keyword_id`
    ) AS `t6`
      ON `t2`.`advertiser_no` = `t6`.`advertiser_no`
      AND `t2`.`keyword_id` < `t6`.`keyword_id`
  ) AS `t7`
  GROUP BY
    1,
    2
) AS `t8`
WHERE
  `t8`.`advertisers` >= 2;

-- step: copurchase
SELECT
  `t2`.`low_id`,
  `t2`.`high_id`,
  `t2`.`advertisers`,
  `t2`.`first_date`,
  `t2`.`last_date`,
  (
    (
      CAST(`t2`.`advertisers` AS DOUBLE) / SQRT(CAST(`t5`.`low_buyers` AS DOUBLE) * CAST(`t6`.`high_buyers` AS DOUBLE))
    ) * CAST(`t2`.`advertisers` AS DOUBLE)
  ) / (
    CAST(`t2`.`advertisers` AS DOUBLE) + 2.0
  ) AS `weight`
FROM `bought_pairs` AS `t2`
INNER JOIN (
  SELECT
    `t1`.`keyword_id` AS `low_id`,
    `t1`.`buyers` AS `low_buyers`
  FROM `buyers` AS `t1`
) AS `t5`
  ON `t2`.`low_id` = `t5`.`low_id`
INNER JOIN (
  SELECT
    `t1`.`keyword_id` AS `high_id`,
    `t1`.`buyers` AS `high_buyers`
  FROM `buyers` AS `t1`
) AS `t6`
  ON `t2`.`high_id` = `t6`.`high_id`;

-- step: buyer_factors
SELECT
  `t3`.`keyword_id`,
  `t3`.`neighbor_id`,
  `t3`.`similarity`,
  COALESCE(`t14`.`advertisers`, 0) AS `advertisers`,
  LEAST(`t8`.`first_of_one`, `t9`.`first_of_other`) AS `first_date`,
  GREATEST(`t8`.`last_of_one`, `t9`.`last_of_other`) AS `last_date`
FROM `factor_pairs` AS `t3`
INNER JOIN (
  SELECT
    `t1`.`keyword_id`,
    `t1`.`first_date` AS `first_of_one`,
    `t1`.`last_date` AS `last_of_one`
  FROM `buyers` AS `t1`
) AS `t8`
  ON `t3`.`keyword_id` = `t8`.`keyword_id`
INNER JOIN (
  SELECT
    `t1`.`keyword_id` AS `neighbor_id`,
    `t1`.`first_date` AS `first_of_other`,
    `t1`.`last_date` AS `last_of_other`
  FROM `buyers` AS `t1`
) AS `t9`
  ON `t3`.`neighbor_id` = `t9`.`neighbor_id`
LEFT OUTER JOIN (
  SELECT
    `t12`.`keyword_id`,
    `t12`.`neighbor_id`,
    COUNT(*) AS `advertisers`
  FROM (
    SELECT
      `t3`.`keyword_id`,
      `t3`.`neighbor_id`,
      `t3`.`similarity`,
      `t10`.`advertiser_no`
    FROM `factor_pairs` AS `t3`
    INNER JOIN (
      SELECT
        `t2`.`keyword_id`,
        `t2`.`advertiser_no`
      FROM `purchases` AS `t2`
    ) AS `t10`
      ON `t3`.`keyword_id` = `t10`.`keyword_id`
    INNER JOIN (
      SELECT
        `t2`.`advertiser_no`,
        `t2`.`keyword_id` AS `neighbor_id`
      FROM `purchases` AS `t2`
    ) AS `t11`
      ON `t3`.`neighbor_id` = `t11`.`neighbor_id`
      AND `t10`.`advertiser_no` = `t11`.`advertiser_no`
  ) AS `t12`
  GROUP BY
    1,
    2
) AS `t14`
  ON `t3`.`keyword_id` = `t14`.`keyword_id`
  AND `t3`.`neighbor_id` = `t14`.`neighbor_id`;
