"""Too many tries are 429, with a page that helps and keeps the words; another person's tries are their own."""


def test_the_fourth_try_in_a_minute_is_429(visitor):
    tries = [visitor.post_form("/sample/often").status_code for _ in range(4)]
    assert tries == [200, 200, 200, 429]
    answer = visitor.post_form("/sample/often", {"story": "kept words"})
    assert int(answer.headers["Retry-After"]) > 0
    assert "kept words" in answer.text


def test_another_address_has_tries_of_its_own(visitor):
    for _ in range(4):
        visitor.post_form("/sample/often")
    assert visitor.post_form("/sample/often", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_a_redis_that_is_away_stops_nobody(another):
    app = another(redis_url="redis://127.0.0.1:1")
    assert app.test_client().post_form("/sample/often").status_code == 200
