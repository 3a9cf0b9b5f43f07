"""Who is in the demo and what has happened to them so far. Data, read by `load`."""

from dataclasses import dataclass
from typing import Any

#: Smithills in Bolton: the small area Bolton 012B is among the most deprived in England on both indices.
PLACE_CODE = "E05014834"
POSTCODE = "BL1 5SF"

#: What each place gets in the demo's year, and out of what.
TRANCHES = (("Reclaim Fund Ltd", "RFL-2025-11", 4_000_000_000, "banks"),
            ("Reclaim Fund Ltd", "RFL-2026-02", 2_500_000_000, "insurance_and_pensions"))
RETURN_PENCE = 310_000_000
#: What most of it is invested in: name, price, what it was worth at the end of the year, and what it is worth now.
HOLDINGS = (("Shares of the world", 3_800_000_000, 3_940_000_000, 4_115_000_000),
            ("Loans to the government (gilts)", 2_200_000_000, 2_170_000_000, 2_182_500_000))
DRAWDOWN_PENCE = 120_000_000
FLOOR_PENCE = 5_000_000


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the demo: the part before the @, the name, and what they may do, in a sentence."""

    key: str
    name: str
    may: str
    language: str = "en"

    @property
    def email(self) -> str:
        """Their address; example.org is nobody's."""
        return f"{self.key}@demo.example.org"


AMINA = Somebody("amina", "Amina", "A volunteer. Her group has no bank account; a host receives its money.")
BEN = Somebody("ben", "Ben", "Runs a youth club. A payment to it came back, and he must give another account.")
CERYS = Somebody("cerys", "Cerys", "Signs for a community trust that hosts small groups. Reads in Welsh.", "cy")
DEV = Somebody("dev", "Dev", "His choir has been offered a grant. He can accept it.")
ELLA = Somebody("ella", "Ella", "Asked for a firework night. The panel said no, and why.")
FRED = Somebody("fred", "Fred", "Mends bicycles. His grant is on its way through the payments.")
GITA = Somebody("gita", "Gita", "Has sent an application that readers have now.")

APPLICANTS = (AMINA, BEN, CERYS, DEV, ELLA, FRED, GITA)

MEMBERS = (
    Somebody("hana", "Hana", "Chairs the panel of Smithills. Reads, scores, and closes the sitting."),
    Somebody("idris", "Idris", "Sits on the panel. Reads and scores."),
    Somebody("joan", "Joan", "Sits on the panel. Reads and scores."),
    Somebody("kwame", "Kwame", "Sits on the panel. Reads and scores."),
    Somebody("lena", "Lena", "Sits on the panel. Reads and scores."),
    Somebody("mo", "Mo", "Sits on the panel. Reads and scores."),
    Somebody("nell", "Nell", "Sits on the panel. Reads and scores."),
    Somebody("omar", "Omar", "Sits on the panel; works here but lives elsewhere."),
    Somebody("pia", "Pia", "Sits on the panel; works here but lives elsewhere."),
)

OFFICERS = (Somebody("quinn", "Quinn", "Officer: checks applications and accounts, accepts evidence."),
            Somebody("rhys", "Rhys", "Officer: Quinn’s deputy."))
APPROVERS = (Somebody("sara", "Sara", "Approves the payment of a stage that another officer accepted."),
             Somebody("tariq", "Tariq", "Approver: Sara’s deputy."))
AUTHORISERS = (Somebody("una", "Una", "Authorises batches of payments that others approved."),
               Somebody("viktor", "Viktor", "Authoriser: Una’s deputy."))
TRUSTEES = (Somebody("wendy", "Wendy", "Trustee: compares the spending rules, and proposes what a year may spend."),
            Somebody("xan", "Xan", "Trustee: confirms what takes two trustees, as a year's limit does."))


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the demo: who signs for it, and its account if it has one of its own."""

    key: str
    name: str
    kind: str
    signer: Somebody
    account: tuple[str, str] | None = None


TRUST = Group("trust", "Smithills Community Trust", "charity", CERYS, ("601613", "31926819"))
LUNCH = Group("lunch", "Thursday Lunch Table", "informal", AMINA)
YOUTH = Group("youth", "Halliwell Road Youth Club", "constituted", BEN, ("200415", "38290008"))
CHOIR = Group("choir", "Moss Bank Singers", "constituted", DEV, ("400515", "12345674"))
FIRE = Group("fire", "Bonfire Night Friends", "informal", ELLA)
BIKES = Group("bikes", "Spoke and Spanner", "cic", FRED, ("089999", "66374958"))
GARDEN = Group("garden", "Church Road Growers", "constituted", GITA, ("107999", "88837491"))

GROUPS = (TRUST, LUNCH, YOUTH, CHOIR, FIRE, BIKES, GARDEN)


@dataclass(frozen=True, slots=True)
class Ask:
    """An application of the demo and how far it has come.

    `points` are what its readers give, criterion by criterion; `state` is the last thing that has happened: draft,
    sent, reading, declined, offered, signed, evidence_accepted, approved, returned or paid.
    """

    group: Group
    state: str
    title: str
    what: str
    for_whom: str
    where: str
    costs: tuple[tuple[str, int], ...]
    points: tuple[int, ...] = (4, 4, 4, 3)
    least: int | None = None
    decided: bool = True

    @property
    def asked(self) -> int:
        """What is asked for, in pounds: the cost lines added up."""
        return sum(pounds for _what, pounds in self.costs)

    def answers(self) -> dict[str, Any]:
        """The answers as somebody types them."""
        return {"title": self.title, "what": self.what, "for_whom": self.for_whom, "where": self.where,
                "costs": [{"what": what, "amount": f"{pounds}"} for what, pounds in self.costs],
                "asked": f"{self.asked}", "least": f"{self.least}" if self.least else "", "statutory_duty": "no"}


ASKS = (
    Ask(LUNCH, "paid", "A hot lunch every Thursday",
        "We cook a hot lunch for anyone who comes, every Thursday in term. Six of us take turns. We have done it in a "
        "kitchen at home for a year; the church hall says we can use theirs from January.",
        "About forty older people who would eat alone, and anyone else. Last year eleven of them said it is the only "
        "meal they share in a week.",
        "Church hall, BL1 5SF", (("Food for 38 Thursdays", 3040), ("Hall hire", 950), ("Pans and a hot plate", 410)),
        points=(5, 5, 4, 5), least=3000),
    Ask(YOUTH, "returned", "A safe floor for the boxing gym",
        "The floor is worn through. We want a sprung floor so that the under-twelves can come back. A local firm has "
        "measured it and can lay it in the February half term.",
        "Sixty young people aged 8 to 17, a third of them girls. They asked for it at their own meeting in June.",
        "Halliwell Road, BL1 8BP", (("Sprung floor, laid", 5200), ("Two weeks’ rent of another hall", 400)),
        points=(4, 4, 5, 4)),
    Ask(CHOIR, "offered", "Songs on the ward",
        "Once a month we sing on the wards of the hospital and at two care homes, with song sheets in large print.",
        "People who cannot get out. We have sung at one home since 2024 and they asked us to come to the others.",
        "Royal Bolton Hospital and Moss Bank", (("Minibus", 1440), ("Song sheets", 160), ("Keyboard", 350)),
        points=(4, 3, 4, 4)),
    Ask(BIKES, "approved", "Mend your own bicycle",
        "A Saturday bench where anyone can mend a bicycle with our tools and somebody beside them who knows how.",
        "Families who cannot pay a shop. Last summer 140 bicycles were mended at our trial mornings.",
        "The old library, BL1 5BU", (("Tools and two stands", 1850), ("Parts for children’s bicycles", 900),
                                      ("Insurance", 380)), points=(4, 4, 4, 4)),
    Ask(BIKES, "evidence_accepted", "Learn to ride before you are eight",
        "Ten half-term mornings on the school field with small bicycles and patient people.",
        "Eighty children whose families have no bicycle. Two schools have promised the field.",
        "Church Road School field", (("Twelve small bicycles", 1680), ("Helmets", 240), ("Trainer’s hours", 900)),
        points=(4, 3, 5, 4)),
    Ask(GARDEN, "signed", "Raised beds behind the clinic",
        "Twenty raised beds at two heights, so that people in wheelchairs can garden too.",
        "Patients of the clinic and anyone nearby. The nurses asked: gardening helps people heal.",
        "Behind the clinic, BL1 5SF", (("Wood and soil", 2150), ("Water butts", 320), ("Tools", 260)),
        points=(5, 4, 4, 4)),
    Ask(FIRE, "declined", "A bigger firework night",
        "We want a longer display than last year with music.",
        "Everybody who likes fireworks.", "Moss Bank Park", (("Fireworks", 6000), ("Sound system", 1400)),
        points=(1, 2, 2, 1)),
    Ask(GARDEN, "reading", "Benches and a tree",
        "Three benches on the way up to the shops and a cherry tree where the old one fell.",
        "Older people say that they cannot get up the hill without a rest. We counted 52 in one morning.",
        "Church Road", (("Three benches, fixed", 2100), ("A cherry tree and two years’ care", 380)), decided=False),
    Ask(YOUTH, "sent", "Homework club",
        "Two evenings a week with a teacher, computers and toast.",
        "Thirty young people who share a room or have no desk.",
        "Halliwell Road Youth Club", (("Teacher, 60 evenings", 3600), ("Toast and fruit", 480)), decided=False),
    Ask(LUNCH, "draft", "A trip to the sea",
        "A coach to Southport for everyone from Thursday lunch.", "", "", (("Coach", 620),), decided=False),
)

#: What the panel says for each criterion, by its points: its own words, never a member's.
WORDS = {
    0: "We could not find this in what you wrote.", 1: "We saw too little of this to say yes.",
    2: "We saw some of this, but not enough yet.", 3: "This is good enough, and could be clearer.",
    4: "This is strong.", 5: "This is as good as we have seen.",
}
