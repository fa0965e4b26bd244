"""The closed list of reasons, removal codes and notices, with their texts in English and Chinese."""

from enum import IntEnum, StrEnum

from kr.relevance.match import Variant


class Reason(StrEnum):
    """Why a keyword is shown."""

    EXACT = "exact_match"
    SPELLING = "close_variant"
    CONTAINS = "shares_words"
    CONTAINS_ALL = "contains_search_term"
    COOCCURRENCE = "searched_in_same_session"
    RULE = "search_follows"
    CLUSTER = "same_pages_clicked"
    CLUSTER_PATH = "linked_by_clicks"
    PAGE_TERMS = "pages_say_the_same"
    SEMANTIC = "used_alike"
    PAGE_SAYS = "said_by_page"
    PAGE_TOPIC = "near_page_topic"
    SEED_POPULAR = "often_searched"
    SEED_INDUSTRY = "bought_in_industry"
    SEED_ACCOUNT = "bought_by_similar_accounts"
    SEED_OWNED = "bought_by_account"
    SEED_BURST = "searched_more_than_usual"
    SEED_RESULTS = "leads_to_keywords"
    NEAR_OWNED = "near_owned_keyword"
    NEAR_PURCHASES = "near_purchases"
    SITE_SAYS = "said_by_site"
    NEAR_LIKED = "near_liked_keyword"
    NEAR_DISMISSED = "near_dismissed_keyword"
    SEED_URL = "clicked_for_keywords"
    INDUSTRY = "bought_by_advertisers_of_industry"
    INDUSTRY_WORDS = "shares_words_with_industry"
    RISING = "searched_more_and_more"
    RULE_BOOST = "boosted_by_rule"
    RULE_BURY = "buried_by_rule"
    RULE_PIN = "pinned_by_rule"


class Removal(IntEnum):
    """Why a keyword is not shown."""

    LOW_RELEVANCE = 1
    UNSAFE_PORN = 10
    UNSAFE_GAMBLING = 11
    UNSAFE_DRUGS = 12
    UNSAFE_WEAPONS = 13
    UNSAFE_OTHER = 14
    AUDIT_UNAVAILABLE = 15
    FILTER_SEARCHES = 20
    FILTER_COMPETITION = 21
    FILTER_BID = 22
    FILTER_LANGUAGE = 23
    FILTER_MUST_CONTAIN = 24
    FILTER_MUST_NOT_CONTAIN = 25
    FILTER_DEVICE = 26
    FILTER_REGION = 27
    OWNED = 28
    DISMISSED = 29
    FILTER_INTENT = 60
    FILTER_MATCH_TYPE = 61
    FILTER_GROUP = 62
    NOT_LISTED = 63
    CLOSE_VARIANT = 30
    SAME_AS_QUERY = 31
    NEAR_DUPLICATE = 32
    TOO_FEW_USERS = 33
    MISSPELT = 34
    RULE_BLOCK = 40
    RULE_QUOTA = 41
    RULE_FLOOR = 42
    CUT_TO_LIMIT = 50


REMOVAL_TEXTS: dict[Removal, tuple[str, str]] = {
    Removal.LOW_RELEVANCE: ("too little to do with the search", "与搜索词相关性不足"),
    Removal.UNSAFE_PORN: ("unsafe: pornography", "不安全：色情"),
    Removal.UNSAFE_GAMBLING: ("unsafe: gambling", "不安全：赌博"),
    Removal.UNSAFE_DRUGS: ("unsafe: drugs", "不安全：毒品"),
    Removal.UNSAFE_WEAPONS: ("unsafe: weapons", "不安全：武器"),
    Removal.UNSAFE_OTHER: ("unsafe: on one of the operator's lists", "不安全：命中平台自定义词表"),
    Removal.AUDIT_UNAVAILABLE: ("the audit could not read its lists", "审核词表不可用"),
    Removal.FILTER_SEARCHES: ("outside the range of searches asked for", "搜索量不在所选范围"),
    Removal.FILTER_COMPETITION: ("not at the level of competition asked for", "竞争度不在所选范围"),
    Removal.FILTER_BID: ("outside the range of bids asked for", "出价不在所选范围"),
    Removal.FILTER_LANGUAGE: ("not in the language asked for", "语言不在所选范围"),
    Removal.FILTER_MUST_CONTAIN: ("does not contain a required word", "不包含必含词"),
    Removal.FILTER_MUST_NOT_CONTAIN: ("contains an excluded word", "包含排除词"),
    Removal.FILTER_DEVICE: ("never searched on the devices asked for", "未在所选设备上被搜索"),
    Removal.FILTER_REGION: ("never searched in the regions asked for", "未在所选地区被搜索"),
    Removal.OWNED: ("you have it already", "您已拥有该词"),
    Removal.DISMISSED: ("you said that it is not your business", "您已标记为与业务无关"),
    Removal.FILTER_INTENT: ("not searched for the purpose asked for", "搜索意图不在所选范围"),
    Removal.FILTER_MATCH_TYPE: ("not of the match type asked for", "建议的匹配方式不在所选范围"),
    Removal.FILTER_GROUP: ("not of the group asked for", "不在所选分组"),
    Removal.NOT_LISTED: ("not one of the keywords to be scored", "不在待评分的关键词中"),
    Removal.CLOSE_VARIANT: ("a close variant of a keyword that is shown", "与已展示关键词是近似写法"),
    Removal.SAME_AS_QUERY: ("the search itself, or another spelling of it", "即搜索词本身或其另一种写法"),
    Removal.NEAR_DUPLICATE: ("says the same as a keyword that is shown", "与已展示关键词意思重复"),
    Removal.TOO_FEW_USERS: ("searched by too few users to be shown to others", "搜索用户过少，不向他人展示"),
    Removal.MISSPELT: ("looks like a misspelling", "疑似误写"),
    Removal.RULE_BLOCK: ("blocked by a marketing rule", "被营销规则屏蔽"),
    Removal.RULE_QUOTA: ("over the quota of its source", "超出来源配额"),
    Removal.RULE_FLOOR: ("below the floor of a marketing rule", "低于营销规则的下限"),
    Removal.CUT_TO_LIMIT: ("ranked below the rows of this page", "排名在本页之外"),
}

VARIANT_TEXTS: dict[Variant, tuple[str, str]] = {
    Variant.WIDTH: ("full-width or upper case", "全角或大小写"),
    Variant.SPACING: ("spacing", "空格"),
    Variant.TRADITIONAL: ("traditional characters", "繁体字"),
    Variant.PLURAL: ("singular or plural", "单复数"),
    Variant.ORDER: ("order of words", "词序"),
    Variant.PINYIN: ("the same pinyin", "同音"),
}

REASON_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.EXACT: ("It is your search term “{seed}”", "就是您搜索的“{seed}”"),
    Reason.SPELLING: ("It is “{seed}” in another spelling: {kind}", "是“{seed}”的另一种写法：{kind}"),
    Reason.CONTAINS: ("Shares {words} with “{seed}”", "与“{seed}”共有词：{words}"),
    Reason.CONTAINS_ALL: ("Contains your search term “{seed}”", "包含您的搜索词“{seed}”"),
    Reason.COOCCURRENCE: (
        "Searched in the same session as “{seed}” in {sessions} by {users}, {dates}",
        "{dates}，{users} 位用户在 {sessions} 次会话中与“{seed}”一起搜索",
    ),
    Reason.RULE: (
        "{confidence} of the sessions with “{seed}” also have this search: {sessions}, "
        "{lift} times as often as by chance, {dates}",
        "{dates}，含“{seed}”的会话中有 {confidence} 也搜索了该词：{sessions} 次会话，是随机情况的 {lift} 倍",
    ),
    Reason.CLUSTER: (
        "Leads to the same pages as “{seed}”: {shared_urls} in common, {clicks} by {users}, {dates}",
        "{dates}，与“{seed}”点击相同网页：共同网页 {shared_urls} 个，{users} 位用户 {clicks} 次点击",
    ),
    Reason.CLUSTER_PATH: (
        "Linked to “{seed}” through clicks: {path}",
        "与“{seed}”通过点击相连：{path}",
    ),
    Reason.PAGE_TERMS: (
        "Leads to pages that say the same as those of “{seed}”: similarity {similarity}, {users} at least, {dates}",
        "{dates}，点击的网页内容与“{seed}”的相近：相似度 {similarity}，各至少 {users} 位用户",
    ),
    Reason.SEMANTIC: (
        "Its words are searched and clicked like those of “{seed}”: similarity {similarity}",
        "用词在搜索和点击中与“{seed}”相近：相似度 {similarity}",
    ),
    Reason.PAGE_SAYS: ("The page says {words} ({places})", "网页中有{words}（{places}）"),
    Reason.PAGE_TOPIC: (
        "Found through “{topic}”, which the page says ({places})",
        "由网页中的“{topic}”（{places}）找到",
    ),
    Reason.SEED_POPULAR: ("Searched {count} times, {dates}", "{dates}，被搜索 {count} 次"),
    Reason.SEED_INDUSTRY: (
        "Bought by {count} of {of} advertisers of the industry, {dates}",
        "{dates}，行业内 {of} 个广告主中有 {count} 个购买",
    ),
    Reason.SEED_ACCOUNT: (
        "Bought by {count} with some of the same keywords, {dates}",
        "{dates}，{count} 个与该账户有共同关键词的账户购买",
    ),
    Reason.SEED_OWNED: ("The account buys it, {dates}", "该账户已购买，{dates}"),
    Reason.SEED_BURST: (
        "Searched by {count} people where {of} were expected, {dates}",
        "{dates}，{count} 人搜索，高于预期的 {of} 人",
    ),
    Reason.SEED_RESULTS: ("Leads to {results} closely related keywords", "可引出 {results} 个密切相关的关键词"),
    Reason.NEAR_OWNED: (
        "Its words are searched and clicked like those of “{seed}”, which you have: similarity {similarity}",
        "用词在搜索和点击中与您已有的“{seed}”相近：相似度 {similarity}",
    ),
    Reason.NEAR_PURCHASES: (
        "Near to your keywords through what advertisers buy together",
        "在广告主的共同购买中与您的关键词相近",
    ),
    Reason.SITE_SAYS: ("Your site says {words}", "您的网站中有{words}"),
    Reason.NEAR_LIKED: (
        "Raised: near to “{seed}”, which you saved or marked as fitting",
        "已提升：与您收藏或认可的“{seed}”相近",
    ),
    Reason.NEAR_DISMISSED: ("Lowered: near to “{seed}”, which you dismissed", "已降低：与您排除的“{seed}”相近"),
    Reason.SEED_URL: (
        "{users} came here, most after {words}: {keywords} keywords lead here, {clicks}, {dates}",
        "{dates}，{users} 位用户点击，最多的搜索词是{words}：共 {keywords} 个关键词引向此页，{clicks} 次点击",
    ),
    Reason.INDUSTRY_WORDS: (
        "Shares words with “{seed}”, which most advertisers of the industry buy",
        "与该行业广告主购买最多的“{seed}”有共同的词",
    ),
    Reason.RISING: (
        "Searched {change} more in the last three whole months than in the three before",
        "最近三个完整月的搜索量比前三个月多 {change}",
    ),
    Reason.INDUSTRY: (
        "Bought by {advertisers} of {of} advertisers of {industry}, {dates}",
        "{dates}，{industry}行业的 {of} 个广告主中有 {advertisers} 个购买",
    ),
    Reason.RULE_BOOST: ("Raised by the rule “{rule}”", "由规则“{rule}”提升"),
    Reason.RULE_BURY: ("Lowered by the rule “{rule}”", "由规则“{rule}”降低"),
    Reason.RULE_PIN: ("Pinned by the rule “{rule}”", "由规则“{rule}”置顶"),
}


class Notice(StrEnum):
    """What a reply as a whole has to say."""

    QUERY_EMPTY = "query_empty"
    QUERY_WITHOUT_WORDS = "query_without_words"
    QUERY_UNSAFE = "query_unsafe"
    QUERY_UNKNOWN = "query_unknown"
    QUERY_NEVER_SEARCHED = "query_never_searched"
    ALL_FILTERED = "all_filtered"
    SPELLING_CORRECTED = "spelling_corrected"
    NOTHING_RELATED = "nothing_related"
    PAGE_FROM_CRAWL = "page_from_crawl"
    PAGE_NEEDS_JAVASCRIPT = "page_needs_javascript"
    PAGE_WITHOUT_WORDS = "page_without_words"
    PAGE_CUT = "page_cut"
    SITE_FROM_CRAWL = "site_from_crawl"
    SEEDS_OF_LIST = "seeds_of_list"
    PAGE_WITHOUT_KEYWORDS = "page_without_keywords"
    SEEDS_OF_EVERYONE = "seeds_of_everyone"
    NO_SEEDS = "no_seeds"
    NO_ACCOUNTS = "no_accounts"
    ACCOUNT_UNKNOWN = "account_unknown"
    COLD_START = "cold_start"
    NOTHING_TO_RECOMMEND = "nothing_to_recommend"
    PAGES_OF_EVERYONE = "pages_of_everyone"
    INDUSTRY_WITHOUT_KEYWORDS = "industry_without_keywords"
    NO_SEED_URLS = "no_seed_urls"


NOTICE_TEXTS: dict[Notice, tuple[str, str]] = {
    Notice.QUERY_EMPTY: ("Type a product or service to begin.", "请输入产品或服务名称。"),
    Notice.QUERY_WITHOUT_WORDS: (
        "“{query}” has no word to search for: type letters, digits or Chinese characters.",
        "“{query}”中没有可搜索的文字，请输入字母、数字或汉字。",
    ),
    Notice.QUERY_UNSAFE: (
        "“{query}” touches a category that this platform does not advertise ({category}); no keywords are shown.",
        "“{query}”涉及本平台不予推广的类别（{category}），不展示关键词。",
    ),
    Notice.QUERY_UNKNOWN: (
        "Nobody searched for “{query}” or anything close to it in the period of the log.",
        "在日志所覆盖的时间内，没有人搜索过“{query}”或相近的词。",
    ),
    Notice.QUERY_NEVER_SEARCHED: (
        "“{query}” itself was not searched in the period of the log; the keywords below come from {expansion}.",
        "在日志所覆盖的时间内没有人搜索过“{query}”本身；以下关键词来自{expansion}。",
    ),
    Notice.ALL_FILTERED: (
        "{count:,} keywords were found, but the filters leave none: widen them.",
        "找到 {count:,} 个关键词，但都被筛选条件排除，请放宽条件。",
    ),
    Notice.SPELLING_CORRECTED: (
        "Nothing was found for “{query}”; these are the keywords for “{correction}”.",
        "没有找到“{query}”，以下是“{correction}”的关键词。",
    ),
    Notice.SEEDS_OF_EVERYONE: (
        "Nothing is known of “{context}” yet; these are searches that suit everyone.",
        "尚无“{context}”的数据；以下是面向所有人的搜索词。",
    ),
    Notice.NO_SEEDS: (
        "There is no search to offer yet: the log tells too little, or the snapshot was built without seed queries.",
        "暂无可推荐的搜索词：日志数据不足，或快照构建时不含种子词。",
    ),
    Notice.NO_ACCOUNTS: (
        "The log of this snapshot knows of no advertiser, or it was built without accounts: search with keywords.",
        "该快照的日志中没有广告主，或构建时不含账户数据，请改用关键词搜索。",
    ),
    Notice.ACCOUNT_UNKNOWN: (
        "The log knows no account “{account}”.",
        "日志中没有账户“{account}”。",
    ),
    Notice.COLD_START: (
        "No purchase of this account is known yet: these come from its site, its industry, what it liked, and from "
        "what is rising.",
        "尚不了解该账户的购买记录：以下根据其网站、行业、收藏以及近期上升的搜索推荐。",
    ),
    Notice.NOTHING_TO_RECOMMEND: (
        "Nothing new was found to recommend. Name an industry or the address of a site, or search with keywords.",
        "没有找到可推荐的新关键词。请指定行业或网站地址，或改用关键词搜索。",
    ),
    Notice.INDUSTRY_WITHOUT_KEYWORDS: (
        "The log knows no keyword that several advertisers of this industry buy: choose a wider industry.",
        "日志中没有该行业多个广告主共同购买的关键词，请选择更宽的行业。",
    ),
    Notice.PAGES_OF_EVERYONE: (
        "No page is known for “{context}” yet; these are pages that suit everyone.",
        "尚无“{context}”的网页；以下是面向所有人的网页。",
    ),
    Notice.NO_SEED_URLS: (
        "There is no page to start from: the log has too few clicks, or the snapshot was built without seed URLs.",
        "暂无可作为起点的网页：日志中的点击太少，或快照构建时不含种子网址。",
    ),
    Notice.NOTHING_RELATED: (
        "No other search is close enough to “{query}” to be shown beside it.",
        "没有与“{query}”足够相关的其他搜索词可供展示。",
    ),
    Notice.PAGE_FROM_CRAWL: (
        "The page was not opened now: this is what the platform's crawl knew of it in the log up to {date}.",
        "没有重新打开网页：以下为平台抓取的内容（日志截至 {date}）。",
    ),
    Notice.PAGE_NEEDS_JAVASCRIPT: (
        "The page shows its text only after running JavaScript, which is not run here: little could be read. "
        "Search with keywords, or use the address of a page that has its text.",
        "该网页需要运行 JavaScript 才显示文字，这里不会运行，因此读到的内容很少。"
        "请改用关键词搜索，或使用直接含有文字的网页。",
    ),
    Notice.PAGE_WITHOUT_WORDS: (
        "The page holds no words that could be searched for: use a page that describes the product or service.",
        "网页中没有可用于搜索的文字，请使用介绍产品或服务的网页。",
    ),
    Notice.SITE_FROM_CRAWL: (
        "Of {site} the platform's crawl has {pages} pages; the topics come from {read} of them (log up to {date}).",
        "平台抓取了 {site} 的 {pages} 个网页，主题来自其中 {read} 个（日志截至 {date}）。",
    ),
    Notice.SEEDS_OF_LIST: (
        "Of the {count} keywords of “{name}” the {used} most searched are what is searched for.",
        "“{name}”共有 {count} 个关键词，以其中搜索量最高的 {used} 个进行搜索。",
    ),
    Notice.PAGE_CUT: (
        "The page is nested too deeply or has too many elements to be read whole; of its text what could be was read.",
        "网页嵌套过深或元素过多，无法完整读取；已尽量读取其文字。",
    ),
    Notice.PAGE_WITHOUT_KEYWORDS: (
        "Nobody searched for anything that the page says in the period of the log. Search with keywords of your own.",
        "在日志所覆盖的时间内，没有人搜索过该网页所提到的内容。请改用您自己的关键词搜索。",
    ),
}

PLACE_TEXTS: dict[str, tuple[str, str]] = {
    "product_name": ("product name", "产品名"),
    "brand": ("brand", "品牌"),
    "title": ("title", "标题"),
    "h1": ("main heading", "主标题"),
    "og_title": ("title for sharing", "分享标题"),
    "category": ("category", "类目"),
    "breadcrumb": ("breadcrumbs", "导航路径"),
    "keywords": ("key words", "页面关键词"),
    "description": ("description", "页面描述"),
    "heading": ("headings", "小标题"),
    "main": ("text", "正文"),
}
"""Where on a page words stood (`kr.pages.document.Place`)."""
