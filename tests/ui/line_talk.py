"""A conversation that tests write by hand."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState


class Talk:
    """Utterances in press order, as the engine's transcript gives them."""

    def __init__(self, n: int = 0, words: int = 6) -> None:
        self.utterances: list[Utterance] = []
        for i in range(n):
            self.add(" ".join([f"word{i}"] * (1 + (i * 7) % words)), " ".join([f"palabra{i}"] * (1 + (i * 5) % words)))

    def utterance(self, number: int) -> Utterance:
        return next(u for u in self.utterances if u.number == number)

    def add(
        self,
        original: str = "",
        translation: str = "",
        *,
        state: UtteranceState = UtteranceState.SETTLED,
        source: str = "en",
        target: str = "es",
        two_way: bool = False,
        detected: str | None = None,
        attempt: int = 1,
        stable: int | None = None,
    ) -> int:
        """One utterance with at most one segment; ``stable``: it is interim, with so many final characters."""
        number = len(self.utterances) + 1
        segments: tuple[Segment, ...] = ()
        if original or translation:
            is_final = stable is None
            segments = (
                Segment(
                    f"{number}",
                    original,
                    is_final,
                    stable or 0,
                    translation,
                    is_final,
                    stable or 0,
                    detected_language=detected,
                ),
            )
        self.utterances.append(
            Utterance(number, 1.7e9 + 60 * number, 0, source, target, two_way, state, segments, attempt)
        )
        return number

    def say(self, number: int, original: str, translation: str = "", *, is_final: bool = False) -> None:
        """Give an utterance's only segment these texts."""
        old = self.utterances[number - 1]
        segment = Segment(f"{number}", original, is_final, 0, translation, is_final, 0)
        self.utterances[number - 1] = replace(old, segments=(segment,))

    def put(self, number: int, state: UtteranceState) -> None:
        self.utterances[number - 1] = replace(self.utterances[number - 1], state=state)


def corpus() -> Talk:
    """Every state, two-way, and many scripts in one conversation."""
    talk = Talk()
    talk.add("Good morning, I have a reservation for two nights.", "Buenos días, tengo una reserva para dos noches.")
    talk.add(
        "Could we also get a room that does not face the street? Last time it was very loud.",
        "¿Podríamos también tener una habitación que no dé a la calle? La última vez había mucho ruido.",
    )
    talk.add("Nos vemos mañana a las ocho.", "See you tomorrow at eight.", two_way=True, detected="es")
    talk.add("Perfect, thank you!", "¡Perfecto, gracias!", two_way=True, detected="en")
    talk.add(state=UtteranceState.EMPTY)
    talk.add(state=UtteranceState.CANCELLED)
    talk.add("Where can I buy tickets?", "أين يمكنني شراء تذاكر؟ (قريب من هنا)", target="ar")
    talk.add("אני גר ב-Tel Aviv כבר 12 שנים", "I have lived in Tel Aviv for 12 years", source="he", target="en")
    talk.add("今日はとても天気がいいですね。散歩に行きましょう！", "What lovely weather.", source="ja", target="en")
    talk.add("सुप्रभात, आप कैसे हैं? 👍🏽", "สวัสดีตอนเช้า วันนี้อากาศดีมาก", source="hi", target="th")
    talk.add("I was sent twice because the link", attempt=2, state=UtteranceState.WAITING, stable=10)
    talk.add("What I am saying right now may yet chan", "Lo que digo", state=UtteranceState.TALKING, stable=10)
    return talk
