"""The closed list of reasons why a page is not fetched or not read, with their texts in English and Chinese."""

from enum import StrEnum

from indexes.errors import KRError


class PageProblem(StrEnum):
    """Why there is nothing to read. Those up to NETWORK_MIXED are refusals: no connection was opened."""

    ADDRESS_MALFORMED = "address_malformed"
    ADDRESS_TOO_LONG = "address_too_long"
    ADDRESS_CHARACTERS = "address_characters"
    ADDRESS_USER = "address_user"
    SCHEME = "scheme"
    PORT = "port"
    HOST_SPELLING = "host_spelling"
    HOST_DISGUISED = "host_disguised"
    HOST_LOCAL = "host_local"
    NETWORK_LOOPBACK = "network_loopback"
    NETWORK_PRIVATE = "network_private"
    NETWORK_LINK_LOCAL = "network_link_local"
    NETWORK_METADATA = "network_metadata"
    NETWORK_CARRIER = "network_carrier"
    NETWORK_MULTICAST = "network_multicast"
    NETWORK_RESERVED = "network_reserved"
    NETWORK_EMBEDDED = "network_embedded"
    NETWORK_MIXED = "network_mixed"
    ROBOTS_DISALLOW = "robots_disallow"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    NAME_NOT_FOUND = "name_not_found"
    NO_CONNECTION = "no_connection"
    TLS = "tls"
    TIMED_OUT = "timed_out"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_BROKEN = "redirect_broken"
    REPLY_BROKEN = "reply_broken"
    COMPRESSION = "compression"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    SITE_FAILED = "site_failed"
    STATUS = "status"
    NOT_HTML = "not_html"
    EMPTY = "empty"
    BUSY = "busy"
    SITE_NAME = "site_name"
    SITE_NOT_CRAWLED = "site_not_crawled"


_NOT_PUBLIC_EN = "Only pages on the public internet are read: use the page's public address."
_NOT_PUBLIC_ZH = "只读取公网上的网页，请使用该网页的公网地址。"
_TRY_LATER_EN = "Try again later, or search with keywords."
_TRY_LATER_ZH = "请稍后重试，或改用关键词搜索。"

# What is wrong and what to do about it: English, then Chinese.
PROBLEM_TEXTS: dict[PageProblem, tuple[str, str, str, str]] = {
    PageProblem.ADDRESS_MALFORMED: (
        "“{address}” is not the address of a web page.",
        "Copy the whole address from the browser, such as https://example.com/product.",
        "“{address}”不是网页地址。",
        "请从浏览器复制完整地址，例如 https://example.com/product。",
    ),
    PageProblem.ADDRESS_TOO_LONG: (
        "The address is too long.",
        "Use an address of at most {limit} characters: often the part after “?” can be left out.",
        "网址过长。",
        "网址最多 {limit} 个字符，通常可以省略“?”之后的部分。",
    ),
    PageProblem.ADDRESS_CHARACTERS: (
        "The address holds a space, a control character or a backslash.",
        "Copy it again from the browser.",
        "网址中含有空格、控制字符或反斜杠。",
        "请从浏览器重新复制。",
    ),
    PageProblem.ADDRESS_USER: (
        "The address names a user or a password before “@”.",
        "Leave that part out; pages behind a sign-in are not read.",
        "网址在“@”之前含有用户名或密码。",
        "请去掉该部分；需要登录的网页不会被读取。",
    ),
    PageProblem.SCHEME: (
        "Addresses that begin with “{scheme}:” are not read.",
        "Use an address that begins with https:// or http://.",
        "不读取以“{scheme}:”开头的地址。",
        "请使用以 https:// 或 http:// 开头的地址。",
    ),
    PageProblem.PORT: (
        "Port {port} is not allowed.",
        "Only the usual ports of web pages, 80 and 443, are read: leave the port out.",
        "不允许使用端口 {port}。",
        "只读取网页的常用端口 80 和 443，请去掉端口号。",
    ),
    PageProblem.HOST_SPELLING: (
        "“{host}” is an unusual spelling of a network address.",
        "Use the site's name.",
        "“{host}”是网络地址的非常规写法。",
        "请使用网站域名。",
    ),
    PageProblem.HOST_DISGUISED: (
        "“{host}” holds characters that stand for others, or that no site's name may hold.",
        "Type the site's name in plain letters.",
        "“{host}”含有伪装字符或域名中不允许的字符。",
        "请用普通字母输入网站域名。",
    ),
    PageProblem.HOST_LOCAL: (
        "“{host}” is a name of a local network.", _NOT_PUBLIC_EN, "“{host}”是内部网络的名称。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_LOOPBACK: (
        "“{host}” leads to this machine itself (loopback).", _NOT_PUBLIC_EN, "“{host}”指向本机（回环地址）。",
        _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_PRIVATE: (
        "“{host}” leads to a private network.", _NOT_PUBLIC_EN, "“{host}”指向私有网络。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_LINK_LOCAL: (
        "“{host}” leads to a link-local address.", _NOT_PUBLIC_EN, "“{host}”指向链路本地地址。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_METADATA: (
        "“{host}” leads to a cloud's own metadata service.", _NOT_PUBLIC_EN, "“{host}”指向云平台的元数据服务。",
        _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_CARRIER: (
        "“{host}” leads to a carrier's inner network (100.64.0.0/10).", _NOT_PUBLIC_EN,
        "“{host}”指向运营商内部网络（100.64.0.0/10）。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_MULTICAST: (
        "“{host}” leads to a multicast address.", _NOT_PUBLIC_EN, "“{host}”指向组播地址。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_RESERVED: (
        "“{host}” leads to a reserved address.", _NOT_PUBLIC_EN, "“{host}”指向保留地址。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_EMBEDDED: (
        "“{host}” leads to an IPv6 address with an IPv4 address inside.", _NOT_PUBLIC_EN,
        "“{host}”指向内含 IPv4 地址的 IPv6 地址。", _NOT_PUBLIC_ZH,
    ),
    PageProblem.NETWORK_MIXED: (
        "“{host}” leads to public and to inner addresses at once.",
        "Whoever runs the site should let its name lead to public addresses only.",
        "“{host}”同时指向公网地址和内部地址。",
        "请网站管理员让该域名只解析到公网地址。",
    ),
    PageProblem.ROBOTS_DISALLOW: (
        "The site's robots.txt forbids programs to read this page.",
        "Whoever runs the site can allow “{agent}” in {host}/robots.txt; or search with keywords.",
        "该网站的 robots.txt 不允许程序读取此网页。",
        "网站管理员可在 {host}/robots.txt 中允许“{agent}”；或改用关键词搜索。",
    ),
    PageProblem.ROBOTS_UNREACHABLE: (
        "The robots.txt of {host} cannot be read, and without it nothing on the site is (RFC 9309).",
        _TRY_LATER_EN, "无法读取 {host} 的 robots.txt，按规范（RFC 9309）不读取该网站。", _TRY_LATER_ZH,
    ),
    PageProblem.NAME_NOT_FOUND: (
        "There is no site named “{host}”.", "Check the spelling of the address.", "没有名为“{host}”的网站。",
        "请检查网址拼写。",
    ),
    PageProblem.NO_CONNECTION: (
        "The site {host} does not accept the connection.", _TRY_LATER_EN, "网站 {host} 未接受连接。", _TRY_LATER_ZH,
    ),
    PageProblem.TLS: (
        "The site {host} cannot prove who it is: {why}.",
        "Whoever runs the site must renew or mend its certificate.",
        "网站 {host} 无法证明其身份：{why}。",
        "请网站管理员更新或修复证书。",
    ),
    PageProblem.TIMED_OUT: (
        "The page did not arrive within {seconds:g} seconds.", _TRY_LATER_EN, "网页未能在 {seconds:g} 秒内到达。",
        _TRY_LATER_ZH,
    ),
    PageProblem.TOO_LARGE: (
        "The page is longer than {limit} bytes.",
        "Use the address of a single product or service.",
        "网页超过 {limit} 字节。",
        "请使用单个产品或服务的网址。",
    ),
    PageProblem.TOO_MANY_REDIRECTS: (
        "The address leads on to another one more than {limit} times.",
        "Open the page in a browser and copy the address that it ends at.",
        "该网址连续跳转超过 {limit} 次。",
        "请在浏览器中打开该网页，并复制最终的网址。",
    ),
    PageProblem.REDIRECT_BROKEN: (
        "The site {host} leads on to another address but does not say which.",
        "Open the page in a browser and copy the address that it ends at.",
        "网站 {host} 要求跳转，但没有给出目标地址。",
        "请在浏览器中打开该网页，并复制最终的网址。",
    ),
    PageProblem.REPLY_BROKEN: (
        "What the site {host} sent is not a reply of a web server.", _TRY_LATER_EN,
        "网站 {host} 的回应不是有效的网页服务器回应。", _TRY_LATER_ZH,
    ),
    PageProblem.COMPRESSION: (
        "The page came compressed in a way that cannot be undone (“{encoding}”).",
        "Whoever runs the site must mend it; or search with keywords.",
        "网页的压缩方式无法解开（“{encoding}”）。",
        "需要网站管理员修复；或改用关键词搜索。",
    ),
    PageProblem.NOT_FOUND: (
        "The site {host} has no such page (status {status}).",
        "Check the address: it may be mistyped or out of date.",
        "网站 {host} 上没有该网页（状态码 {status}）。",
        "请检查网址是否有误或已过期。",
    ),
    PageProblem.NOT_ALLOWED: (
        "The site {host} does not show the page to programs (status {status}).",
        "Use a page that everybody may read, or search with keywords.",
        "网站 {host} 不允许程序读取该网页（状态码 {status}）。",
        "请使用公开的网页，或改用关键词搜索。",
    ),
    PageProblem.SITE_FAILED: (
        "The site {host} failed to make the page (status {status}).", _TRY_LATER_EN,
        "网站 {host} 出错，未能给出网页（状态码 {status}）。", _TRY_LATER_ZH,
    ),
    PageProblem.STATUS: (
        "The site {host} answered with status {status} instead of a page.", _TRY_LATER_EN,
        "网站 {host} 返回状态码 {status}，没有给出网页。", _TRY_LATER_ZH,
    ),
    PageProblem.NOT_HTML: (
        "The address leads to “{kind}”, not to a web page.",
        "Use the address of a page of text; documents and images are not read.",
        "该地址指向“{kind}”，不是网页。",
        "请使用文字网页的地址；文档和图片不会被读取。",
    ),
    PageProblem.EMPTY: (
        "The page is empty.", "Use a page that describes the product or service.", "网页为空。",
        "请使用介绍产品或服务的网页。",
    ),
    PageProblem.BUSY: (
        "Too many pages are being read at the moment.", "Try again in a few seconds.", "当前正在读取的网页过多。",
        "请几秒后重试。",
    ),
    PageProblem.SITE_NAME: (
        "“{site}” is not the name of a site.", "Name its host alone, such as shop.example.com.",
        "“{site}”不是网站名称。", "请只填写域名，例如 shop.example.com。",
    ),
    PageProblem.SITE_NOT_CRAWLED: (
        "The platform has crawled no page of {site}.",
        "Use the address of one of its pages instead: that page is fetched.",
        "平台没有抓取过 {site} 的网页。",
        "请改用该网站某个网页的地址，系统会读取该网页。",
    ),
}  # fmt: skip

_LAST_REFUSAL = list(PageProblem).index(PageProblem.NETWORK_MIXED)


class PageError(KRError):
    """A page that is refused or cannot be read: `problem` says why, the texts what to do about it."""

    exit_code = 1
    http_status = 422

    def __init__(self, problem: PageProblem, **values: object) -> None:
        message, remedy, message_zh, remedy_zh = PROBLEM_TEXTS[problem]
        super().__init__(message.format(**values), remedy.format(**values))
        self.problem = problem
        self.text_en = str(self)
        self.text_zh = f"{message_zh}{remedy_zh}".format(**values)

    @property
    def refused(self) -> bool:
        """Whether the address itself was refused, so that no connection to it was opened."""
        return list(PageProblem).index(self.problem) <= _LAST_REFUSAL
