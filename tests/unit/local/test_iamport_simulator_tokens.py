"""The token rules, row by row, of the Iamport simulator."""

import re

import pytest

from infra.local.iamport.tokens import Token, TokenDesk, token_to_hand_out

NOW = 1_512_446_940


def test_without_a_live_token_a_new_one_lives_for_1800_seconds() -> None:
    token = token_to_hand_out(None, NOW)

    assert re.fullmatch(r"[0-9a-f]{40}", token.access_token)
    assert token.expired_at == NOW + 1800


@pytest.mark.parametrize("seconds_left", [1800, 61])
def test_with_more_than_a_minute_left_the_same_token_comes_back_unchanged(seconds_left: int) -> None:
    current = Token("a" * 40, NOW + seconds_left)

    assert token_to_hand_out(current, NOW) == current


@pytest.mark.parametrize("seconds_left", [60, 1])
def test_in_its_last_minute_the_same_token_gets_300_seconds_more(seconds_left: int) -> None:
    current = Token("a" * 40, NOW + seconds_left)

    assert token_to_hand_out(current, NOW) == Token("a" * 40, NOW + seconds_left + 300)


@pytest.mark.parametrize("seconds_ago", [0, 1, 5000])
def test_after_expiry_there_is_a_new_token(seconds_ago: int) -> None:
    current = Token("a" * 40, NOW - seconds_ago)

    token = token_to_hand_out(current, NOW)

    assert token.access_token != current.access_token
    assert token.expired_at == NOW + 1800


def test_a_token_is_live_until_the_second_it_expires() -> None:
    desk = TokenDesk("key", "secret")
    token = desk.hand_out(NOW).access_token

    assert desk.is_live(token, NOW + 1799)
    assert not desk.is_live(token, NOW + 1800)
    assert not desk.is_live("b" * 40, NOW)


def test_after_a_rotation_only_the_new_secret_is_valid_and_old_tokens_are_dead() -> None:
    desk = TokenDesk("key", "secret")
    token = desk.hand_out(NOW).access_token

    desk.rotate("new secret")

    assert not desk.accepts("key", "secret")
    assert desk.accepts("key", "new secret")
    assert not desk.is_live(token, NOW)
