"""The hosted card page: a merchant sends the card holder here, so that its own pages never touch a card number.

    visit.py      what the page's address asks for: whose card, which language, where to go afterwards
    words.py      Korean and English
    outcomes.py   what became of an attempt, as it is told, and what may be done then
    page.py       puts the page together and answers with it; notices.py: which data is collected, told or asked for
    filling.py    fills the templates, and escapes
    page.html     around everything; form.html and outcome.html are what it shows
    page.css, page.js, grouping.js
    assets.py     these files as they are sent, and their hashes; colours.py: the theme's, and the shop's own

All of it leaves in one response, and works without JavaScript too. Imported only when a page is asked for.
"""
