def test_the_first_page_is_there_for_anybody(client):
    assert client.get("/").status_code == 200


def test_a_foreign_host_gets_400_and_no_page_of_ours(client):
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "evil.example" not in response.text
