"""How a widget looks: parameters of the address from a closed list, and the style sheet that they make."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Accent = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]


class Look(BaseModel):
    """Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    theme: Literal["light", "dark", "auto"] = "auto"
    accent: Accent | None = Field(None, description="Colour of borders and of the keyword under the pointer, 0f5e56.")


_LIGHT = "--page:#fff;--ink:#191c1f;--soft:#f2f3f1;--rule:#d5d6d0;"
_DARK = "--page:#16191b;--ink:#eceeed;--soft:#22272b;--rule:#434b50;"
_SHEET = """*{box-sizing:border-box}
body{margin:0;padding:.5rem;background:var(--page);color:var(--ink);
font:400 .9375rem/1.45 ui-sans-serif,system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
h1{margin:0 0 .5rem;font-size:.8125rem;font-weight:600}
ul{display:flex;flex-wrap:wrap;gap:.4rem;margin:0;padding:0;list-style:none}
li{max-width:100%}
a{display:block;padding:.25rem .75rem;overflow-wrap:anywhere;background:var(--soft);border:1px solid var(--rule);
border-radius:2rem;color:inherit;text-decoration:none}
a:hover{border-color:var(--accent);text-decoration:underline}
a:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
"""


def style_sheet(look: Look) -> str:
    """The whole sheet of a widget."""
    schemes = {"light": "light", "dark": "dark", "auto": "light dark"}
    light, dark = (
        f"{colours}--accent:#{look.accent or accent}" for colours, accent in ((_LIGHT, "0f5e56"), (_DARK, "5fc1b3"))
    )
    root = f":root{{color-scheme:{schemes[look.theme]};{dark if look.theme == 'dark' else light}}}\n"
    if look.theme == "auto":
        root += f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return root + _SHEET
