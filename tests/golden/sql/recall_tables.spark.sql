-- step: scored_industry_keywords
SELECT
  `t16`.`industry_id`,
  `t16`.`keyword_id`,
  `t16`.`advertisers`,
  `t16`.`first_date`,
  `t16`.`last_date`,
  `t16`.`industry_advertisers`,
  `t16`.`buyers`,
  (
    (
      CAST(`t16`.`advertisers` AS DOUBLE) / SQRT(CAST(`t16`.`industry_advertisers` AS DOUBLE) * CAST(`t16`.`buyers` AS DOUBLE))
    ) * CAST(`t16`.`advertisers` AS DOUBLE)
  ) / (
    CAST(`t16`.`advertisers` AS DOUBLE) + 2.0
  ) AS `score`
FROM (
  SELECT
    `t15`.`industry_id`,
    `t15`.`keyword_id`,
    `t15`.`advertisers`,
    `t15`.`first_date`,
    `t15`.`last_date`,
    `t12`.`industry_advertisers`,
    `t8`.`buyers`
  FROM (
    SELECT
      *
    FROM (
      SELECT
        `t10`.`industry_id`,
        `t10`.`keyword_id`,
        COUNT(*) AS `advertisers`,
        MIN(`t10`.`first_date`) AS `first_date`,
        MAX(`t10`.`last_date`) AS `last_date`
      FROM (
        SELECT
          `t3`.`advertiser_no`,
          `t3`.`keyword_id`,
          `t3`.`first_date`,
          `t3`.`last_date`,
          `t6`.`industry_id`
        FROM `purchases` AS `t3`
        INNER JOIN `account_industries` AS `t6`
          ON `t3`.`advertiser_no` = `t6`.`advertiser_no`
      ) AS `t10`
      GROUP BY
        1,
        2
    ) AS `t13`
    WHERE
      `t13`.`advertisers` >= 2
  ) AS `t15`
  INNER JOIN (
    SELECT
      `t9`.`industry_id`,
      COUNT(*) AS `industry_advertisers`
    FROM (
      SELECT
        `t5`.`advertiser_no`,
        `t5`.`industry_id`
      FROM `account_industries` AS `t5`
      LEFT SEMI JOIN `purchases` AS `t4`
        ON `t5`.`advertiser_no` = `t4`.`advertiser_no`
    ) AS `t9`
    GROUP BY
      1
  ) AS `t12`
    ON `t15`.`industry_id` = `t12`.`industry_id`
  INNER JOIN (
    SELECT
      `t0`.`keyword_id`,
      `t0`.`buyers`
    FROM `buyers` AS `t0`
  ) AS `t8`
    ON `t15`.`keyword_id` = `t8`.`keyword_id`
) AS `t16`;

-- step: industry_keywords
SELECT
  `t2`.`industry_id`,
  `t2`.`keyword_id`,
  `t2`.`advertisers`,
  `t2`.`first_date`,
  `t2`.`last_date`,
  `t2`.`industry_advertisers`,
  `t2`.`buyers`,
  `t2`.`score`
FROM (
  SELECT
    *
  FROM (
    SELECT
      `t0`.`industry_id`,
      `t0`.`keyword_id`,
      `t0`.`advertisers`,
      `t0`.`first_date`,
      `t0`.`last_date`,
      `t0`.`industry_advertisers`,
      `t0`.`buyers`,
      `t0`.`score`,
      ROW_NUMBER() OVER (
        PARTITION BY `t0`.`industry_id`
        ORDER BY `t0`.`score` DESC, `t0`.`keyword_id` ASC NULLS LAST
      ) - 1 AS `place`
    FROM `scored_industry_keywords` AS `t0`
  ) AS `t1`
  WHERE
    `t1`.`place` < 200
) AS `t2`;

-- step: similar_accounts
SELECT DISTINCT
  *
FROM (
  SELECT
    `t1`.`advertiser_no`,
    `t2`.`advertiser_no` AS `buyer_no`
  FROM `purchases` AS `t1`
  INNER JOIN `purchases` AS `t2`
    ON `t1`.`keyword_id` = `t2`.`keyword_id`
    AND `t1`.`advertiser_no` <> `t2`.`advertiser_no`
) AS `t3`;

-- step: similar_buyers
SELECT
  `t8`.`advertiser_no`,
  `t8`.`keyword_id`,
  COUNT(*) AS `similar_advertisers`
FROM (
  SELECT
    `t6`.`advertiser_no`,
    `t6`.`keyword_id`,
    `t7`.`buyer_no`
  FROM (
    SELECT
      `t0`.`advertiser_no`,
      `t0`.`keyword_id`
    FROM `account_candidates` AS `t0`
  ) AS `t6`
  INNER JOIN (
    SELECT
      `t2`.`keyword_id`,
      `t2`.`advertiser_no` AS `buyer_no`
    FROM `purchases` AS `t2`
  ) AS `t7`
    ON `t6`.`keyword_id` = `t7`.`keyword_id`
  LEFT SEMI JOIN `similar_accounts` AS `t3`
    ON `t6`.`advertiser_no` = `t3`.`advertiser_no` AND `t7`.`buyer_no` = `t3`.`buyer_no`
) AS `t8`
GROUP BY
  1,
  2;

-- step: account_keywords
SELECT
  `t11`.`advertiser_id`,
  `t11`.`keyword_id`,
  `t11`.`score`,
  `t11`.`walk`,
  `t11`.`factor`,
  `t11`.`first_date`,
  `t11`.`last_date`,
  COALESCE(`t11`.`owned`, FALSE) AS `owned`,
  COALESCE(`t11`.`similar_advertisers`, 0) AS `similar_advertisers`,
  `t11`.`buyers` AS `advertisers`
FROM (
  SELECT
    `t5`.`advertiser_no`,
    `t5`.`keyword_id`,
    `t5`.`score`,
    `t5`.`walk`,
    `t5`.`factor`,
    `t6`.`advertiser_id`,
    `t7`.`buyers`,
    `t7`.`first_date`,
    `t7`.`last_date`,
    `t8`.`similar_advertisers`,
    `t10`.`owned`
  FROM `account_candidates` AS `t5`
  INNER JOIN `accounts` AS `t6`
    ON `t5`.`advertiser_no` = `t6`.`advertiser_no`
  INNER JOIN `buyers` AS `t7`
    ON `t5`.`keyword_id` = `t7`.`keyword_id`
  LEFT OUTER JOIN `similar_buyers` AS `t8`
    ON `t5`.`advertiser_no` = `t8`.`advertiser_no`
    AND `t5`.`keyword_id` = `t8`.`keyword_id`
  LEFT OUTER JOIN (
    SELECT
      `t4`.`advertiser_no`,
      `t4`.`keyword_id`,
      TRUE AS `owned`
    FROM `purchases` AS `t4`
  ) AS `t10`
    ON `t5`.`advertiser_no` = `t10`.`advertiser_no`
    AND `t5`.`keyword_id` = `t10`.`keyword_id`
) AS `t11`;
