"""The miners that read who buys what, in order: copurchase, factors, walks, and the recall tables."""

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from mining import buyer_copurchase, buyer_factors, buyer_walks, recall_tables
from mining.buyer_factors import RankedList
from mining.cooccurrence import in_both_directions
from mining.settings import MiningSettings
from mining.table_writer import TableWriter

BUYER_TABLES = ("copurchase", "buyer_factors", "buyer_walks", "account_keywords", "industry_keywords", "purchases")
ACCOUNT_TABLES = ("advertisers", "account_industries")


class BuyerMiners:
    """One run over bids and ad_events, both with the keyword_id of the keyword bid on, of keywords with demand only."""

    def __init__(self, writer: TableWriter, bids: ir.Table, ad_events: ir.Table, settings: MiningSettings) -> None:
        self.writer, self.engine, self.settings = writer, writer.engine, settings
        self.purchases, self.accounts = buyer_copurchase.find_purchases(self.engine, bids, ad_events, settings)
        self.buyers = buyer_copurchase.count_buyers(self.engine, self.purchases)
        rows = self.engine.collect(self.purchases.order_by("advertiser_no", "keyword_id"))
        self.account_nos, account = np.unique(rows["advertiser_no"].to_numpy(), return_inverse=True)
        self.keyword_ids, keyword = np.unique(rows["keyword_id"].to_numpy(), return_inverse=True)
        self.bought = csr_array(
            (np.ones(len(account)), (account, keyword)), shape=(len(self.account_nos), len(self.keyword_ids))
        )

    def count_accounts(self) -> tuple[int, int]:
        """The accounts that were mined, and those left out because they buy everything."""
        mined = len(self.account_nos)
        return mined, self.writer.number(self.accounts.count()) - mined

    def run(self, advertisers: ir.Table, industries: ir.Table) -> None:
        """Write the BUYER_TABLES and the ACCOUNT_TABLES."""
        settings, accounts = self.settings, self.bought.shape[0]
        # What a single advertiser buys is that advertiser's own affair, and shown to nobody.
        shown = np.flatnonzero(np.diff(self.bought.tocsc().indptr) >= settings.min_advertisers)
        pairs = buyer_copurchase.find_copurchases(self.engine, self.purchases, self.buyers, settings)
        self.writer.write("copurchase", in_both_directions(pairs))

        factors = buyer_factors.factorise(self.bought, settings.buyer_factors)
        similar = buyer_factors.nearest_keywords(factors, shown, settings.factor_similarity, settings.buyer_neighbors)
        self._write_neighbors("buyer_factors", "similarity", similar)
        start, neighbor, share = buyer_walks.nearest_keywords(
            self.bought, accounts + shown, shown, settings.walk_share, settings.buyer_neighbors, settings
        )
        self._write_neighbors("buyer_walks", "probability", (shown[start], neighbor, share))

        self._write_account_keywords(
            buyer_walks.nearest_keywords(
                self.bought, np.arange(accounts), shown, 0.0, settings.recall_keywords, settings
            ),
            buyer_factors.keywords_of_accounts(factors, shown, settings.recall_keywords),
        )
        placed, everyone = recall_tables.register_industries(self.engine, industries, advertisers, self.accounts)
        self.writer.write(
            "industry_keywords",
            recall_tables.find_industry_keywords(self.engine, self.purchases, self.buyers, placed, settings),
        )
        owned = self.purchases.join(self.accounts, "advertiser_no")
        self.writer.write("purchases", owned.select("advertiser_id", "keyword_id", "first_date", "last_date"))
        self.writer.write("advertisers", advertisers.select("advertiser_id", "industry_id", "site_url").distinct())
        self.writer.write("account_industries", everyone)

    def _write_neighbors(self, name: str, measure: str, found: RankedList) -> None:
        keyword, neighbor, value = found
        columns = {"keyword_id": self.keyword_ids[keyword], "neighbor_id": self.keyword_ids[neighbor], measure: value}
        pairs = self.engine.register(f"{name}_pairs", pa.table(columns))
        self.writer.write(name, buyer_copurchase.weigh_pairs(pairs, self.purchases, self.buyers))

    def _write_account_keywords(self, walks: RankedList, factors: RankedList) -> None:
        fused = recall_tables.fuse_account_lists(walks, factors, self.bought.shape[1], self.settings.recall_keywords)
        columns = {
            "advertiser_no": self.account_nos[fused["account"].to_numpy()],
            "keyword_id": self.keyword_ids[fused["keyword"].to_numpy()],
            **{name: fused[name] for name in ("score", "walk", "factor")},
        }
        candidates = self.engine.register("account_candidates", pa.table(columns))
        rows = recall_tables.find_account_evidence(self.engine, candidates, self.purchases, self.accounts, self.buyers)
        self.writer.write("account_keywords", rows)
