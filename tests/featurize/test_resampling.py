"""resample and resample_blocks equal torchaudio, at any rate, in blocks of any length."""

import pytest
import torch
import torchaudio
from hypothesis import given
from hypothesis import strategies as st

from featurize import resampling
from featurize.audio import SAMPLE_RATE, resample
from featurize.resampling import resample_blocks
from tests.featurize.sounds import tone


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_both_ways_of_resampling_agree(rate: int) -> None:
    noise = torch.randn(rate // 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table = torchaudio.functional.resample(noise, rate, SAMPLE_RATE)
    torch.testing.assert_close(resample(noise, rate, SAMPLE_RATE), table, rtol=0, atol=0)
    one_by_one = resampling._resample_each_sample(noise, rate, SAMPLE_RATE)
    torch.testing.assert_close(one_by_one, table, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", [12_345, 16_001, 44_101, 192_001])
def test_rates_without_a_common_divisor(rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def table(*args: object) -> None:
        raise AssertionError("torchaudio's kernel would take gigabytes")

    monkeypatch.setattr(resampling, "_tabulated", table)
    resampled = resample(torch.from_numpy(tone(rate, rate)).double(), rate, SAMPLE_RATE)
    expected = torch.from_numpy(tone()).double()
    inner = slice(200, -200)
    torch.testing.assert_close(resampled[inner], expected[inner], rtol=0, atol=2e-3)


@given(
    lengths=st.lists(st.integers(0, 2_000), min_size=1, max_size=12),
    rates=st.sampled_from(
        [(8, 16), (48, 16), (441, 160), (96, 16), (16, 48), (160, 441), (1, 16), (1_103, 160), (16, 16)]
    ),
)
def test_blocks_of_any_length_join_exactly(lengths: list[int], rates: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(sum(lengths))
    blocks = [torch.randn(length, generator=generator, dtype=torch.float64) for length in lengths]
    whole = torch.cat(blocks)
    expected = torchaudio.functional.resample(whole, *rates) if len(whole) else whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_PIECE", 100)
        joined = torch.cat([whole[:0], *resample_blocks(blocks, *rates)])
        torch.testing.assert_close(joined, expected, rtol=0, atol=1e-12)
        patch.setattr(resampling, "_LARGEST_KERNEL", 0)
        joined = torch.cat([whole[:0], *resample_blocks(blocks, *rates)])
        torch.testing.assert_close(joined, expected, rtol=0, atol=1e-9)
