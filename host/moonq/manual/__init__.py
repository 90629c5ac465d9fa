"""The manual: the Markdown pages beside this file, and what finds things in them.

    manual = Manual.of_package()
    manual.page("handlers").text
    manual.about("R202")          # what stands below the heading `R202`
    manual.search("dead letter")

A heading names the thing that its section is about: a kind, a function, a command, a code. Fields
and options are list items that begin with their name as code. So every page is the index, too.
"""

from moonq.manual.book import Hit, Manual
from moonq.manual.pages import Excerpt, Page, Section

__all__ = ["Excerpt", "Hit", "Manual", "Page", "Section"]
