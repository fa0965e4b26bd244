"""Words that carry no topic by themselves, by which a phrase neither begins nor ends unless people search for it so."""

_FUNCTION_WORDS = """
a about after all also an and any are as at be been but by can do for from get had has have how if in into is it its
me more most my new no not of off on one only or other our out over so some than that the their them then there
these they this to too up us was we were what when where which who why will with you your
als am an auch auf aus bei das dem den der des die ein eine einem einen einer es für ihr ihre im in ist mit nach
nicht oder sie sind sowie über um und unser unsere von vom wie wir zu zum zur de een en het met op te van voor av
det og och som til till
à au aux avec ce ces cette dans de des du elle en est et il je la le les leur nous ou par pas plus pour qui sa se
ses son sur un une vos votre vous al como con del el los las lo más mi no o para por que su sus tu una uno y ao aos
com da das do dos em na nas nos os pelo pela seu sua um uma agli alla alle anche che dal dei della delle di gli i
nel non per più sono tra
a aj ako ale alebo do i ir iz ja je k ki li na nad ne od po pod pre pri s sa se so su u už v vo z za že ze в во и из
к как на не но о от по с со что это для или
的 了 和 与 及 或 是 在 有 为 对 将 把 被 从 到 等 也 都 而 其 这 那 个 我 你 您 他 她 它 们 我们 您的 你的 之 以 于
上 中 下 就 不 会 能 可 可以 吧 吗 呢 让 更 最 还 又 很
"""
_SHOP_WORDS = """
booking compare comparison deals cost quote quotes rates 报价 费用 多少 多少钱 预订 办理 优惠 批发 图片 咨询
buy buys shop shopping online price prices sale order cart basket checkout login sign free shipping delivery
official website home homepage page menu search details detail product products item items description information
info review reviews rating customer customers click here http https www com html net org cookie cookies kaufen
bestellen preis angebot versand startseite acheter prix livraison gratuite accueil comprar precio preço envío inicio
início acquista prezzo spedizione купить цена главная 首页 官网 官方 网站 购买 价格 包邮 详情 更多 点击 查看 登录
注册 正品
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Of the languages in which shops write."""
SHOP_WORDS = frozenset(_SHOP_WORDS.split())
"""What every shop says, and what every page holds."""
STOP_WORDS = FUNCTION_WORDS | SHOP_WORDS
