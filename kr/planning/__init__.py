"""What an advertiser plans: keywords with groups, match types and bids, read from files and written to them."""
