"""The tree of the log: the vectors of RFC 6962, proofs made and checked, and every forged proof refused."""

import base64
import json

import pytest

from fund.transparency import rules

LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
HASHES = [rules.leaf_hash(leaf) for leaf in LEAVES]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (5, 8): ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}
CONSISTENCY = {
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
    (1, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
}
BIG = {3: "mPRvIAsDJwzOhB3hqS48V7/JYmEAlzc4hcEBVOOdFAU=", 255: "YjjdziKcEm8etxF+Rr5BxaVwtxT0NvY0NIjxOx1Uk1A=",
       256: "8itNqtOSiUgScY4qeHkfEOzNVZBm4UKVxzZVx6IFAL8=", 257: "sw3N2pssqZuRvRXs9of5GSISMQCeOxgJurEeLAxaYb8=",
       70_000: "9Oe5EH2dhopH0wRdxx5TDkwqUPKHs/M60ZNfck7pLqI="}


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_rfc_6962(size):
    assert rules.root(HASHES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_rfc_6962(index, size):
    assert [part.hex() for part in rules.inclusion_proof(index, size, subtree(HASHES))] == INCLUSION[index, size]


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_consistency_proofs_are_those_of_rfc_6962(first, second):
    proof = rules.consistency_proof(first, second, subtree(HASHES))
    assert [part.hex() for part in proof] == CONSISTENCY[first, second]


def test_the_roots_of_a_big_tree_at_every_named_size():
    leaves = [rules.leaf_hash(json.dumps({"n": i}).encode()) for i in range(70_000)]
    tree, found = rules.Edge(), {}
    for size in sorted(BIG):
        tree.grow(leaves[tree.size:size])
        found[tree.size] = base64.b64encode(tree.root()).decode()
    assert found == BIG


def test_a_tree_that_grows_a_leaf_at_a_time_has_every_root_on_the_way():
    leaves = hashes(256) * 3
    tree = rules.Edge()
    for size, leaf in enumerate(leaves, 1):
        tree.grow([leaf])
        assert (tree.size, tree.root()) == (size, rules.root(leaves[:size]))


def subtree(leaf_hashes: list[bytes]):
    """The root of any run of these leaves."""
    return lambda lo, hi: rules.root(leaf_hashes[lo:hi])


def hashes(size: int) -> list[bytes]:
    return [rules.leaf_hash(bytes([i])) for i in range(size)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof_holds_and_every_forged_one_does_not(size):
    leaves, tree_root = hashes(size), rules.root(hashes(size))
    for index in range(size):
        proof = rules.inclusion_proof(index, size, subtree(leaves))
        assert rules.inclusion_holds(leaves[index], index, size, proof, tree_root)
        assert not rules.inclusion_holds(leaves[index], (index + 1) % size, size, proof, tree_root) or size == 1
        assert not rules.inclusion_holds(leaves[index], index + size, size, proof, tree_root)
        for forged in forgeries(proof):
            assert not rules.inclusion_holds(leaves[index], index, size, forged, tree_root)
    for first in range(1, size + 1):
        old_root, proof = rules.root(leaves[:first]), rules.consistency_proof(first, size, subtree(leaves))
        assert rules.consistency_holds(first, size, old_root, tree_root, proof)
        if first < size:
            assert not rules.consistency_holds(first, size, tree_root, tree_root, proof)
            assert not rules.consistency_holds(first, size, old_root, old_root, proof)
        for forged in forgeries(proof):
            assert not rules.consistency_holds(first, size, old_root, tree_root, forged)


def forgeries(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with each hash flipped, dropped, said twice, and one more at the end."""
    flipped = [[*proof[:i], bytes([proof[i][0] ^ 1]) + proof[i][1:], *proof[i + 1:]] for i in range(len(proof))]
    dropped = [[*proof[:i], *proof[i + 1:]] for i in range(len(proof))]
    doubled = [[*proof[:i], proof[i], *proof[i:]] for i in range(len(proof))]
    return [*flipped, *dropped, *doubled, [*proof, b"\x00" * 32]]


def test_there_is_no_proof_of_nothing():
    with pytest.raises(ValueError):
        rules.inclusion_proof(0, 0, subtree([]))
    with pytest.raises(ValueError):
        rules.consistency_proof(0, 8, subtree(HASHES))
    assert not rules.consistency_holds(0, 8, rules.EMPTY_ROOT, rules.root(HASHES), [])
    assert not rules.inclusion_holds(HASHES[0], 0, 0, [], rules.EMPTY_ROOT)


def test_a_proof_reads_each_tile_once():
    leaves, asked = [rules.leaf_hash(b"%d" % i) for i in range(70_000)], []
    made = {(tile.level, tile.number): tile.hashes for tile in rules.Edge().grow(leaves)}

    def read(level, number, _width):
        asked.append((level, number))
        return made[level, number]

    for index in (0, 255, 256, 12_345, 69_999):
        asked.clear()
        proof = rules.inclusion_proof(index, len(leaves), rules.subtree_from(read, len(leaves)))
        assert rules.inclusion_holds(leaves[index], index, len(leaves), proof, rules.root(leaves))
        assert len(asked) == len(set(asked)) <= 6
