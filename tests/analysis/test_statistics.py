"""The statistics: golden numbers, each computed by scipy directly or published, and how often an interval holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from expiac.analysis import statistics

A, B = [1.0, 2.0, 3.0, 4.0, 5.0], [3.1, 4.3, 4.9, 6.2, 7.4]
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=12)


def test_the_interquartile_mean_is_that_of_the_middle_half():
    """Two of eight values go at each end; of three, none."""
    assert statistics.interquartile_mean([-100, 0, 1, 2, 3, 4, 5, 900]) == 2.5
    assert statistics.interquartile_mean([1, 2, 6]) == 3


@given(values=VALUES)
@settings(max_examples=25, deadline=None)
def test_an_interval_of_five_or_more_lies_within_the_values(values):
    """And around the interquartile mean or at it."""
    found = statistics.interval([values])
    assert found is not None
    low, high = found
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert min(values) - slack <= low <= high <= max(values) + slack


def test_an_interval_is_the_same_each_time():
    assert statistics.interval([A]) == statistics.interval([A])


def test_an_interval_is_scipys():
    """Its bootstrap of the trimmed mean, by the percentiles that stand for Student's t of four degrees of freedom."""
    level = 1 - 2 * stats.norm.cdf(stats.t.ppf(0.025, 4))
    direct = stats.bootstrap((A,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), method="percentile",
                             n_resamples=9999, confidence_level=level, rng=np.random.default_rng(0))
    assert statistics.interval([A]) == pytest.approx(tuple(direct.confidence_interval))


def test_an_interval_of_four_is_students_with_the_standard_error_of_the_bootstrap():
    """So it may leave the range of the values, which would hold the median in 87.5 % of all cases only."""
    direct = stats.bootstrap((A[:4],), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), method="percentile",
                             n_resamples=9999, rng=np.random.default_rng(0))
    expected = stats.t.interval(0.95, 3, 2.5, direct.standard_error)
    assert statistics.interval([A[:4]]) == pytest.approx(expected)
    assert expected[0] < 1 < 4 < expected[1]


def test_an_interval_of_three_is_students():
    assert statistics.interval([A[:3]]) == pytest.approx(stats.t.interval(0.95, 2, 2.0, stats.sem(A[:3])))


@pytest.mark.parametrize("paired", [True, False])
def test_an_interval_of_a_difference_is_that_of_the_test(paired):
    """So it leaves out 0 just where p is below 5 %: here, moved by one end, it is at 5 % precisely."""
    low, high = statistics.interval_of_difference(B, A, paired=paired)
    assert low < np.mean(B) - np.mean(A) < high
    moved = [value - low for value in B]
    assert statistics.p_value(moved, A, paired=paired) == pytest.approx(0.05)


def test_strata_are_drawn_from_by_themselves():
    """Two environments of different scores make no wide interval; pooled, they would."""
    low, high = [0.0, 0.1, 0.2, 0.1], [10.0, 10.1, 10.2, 10.1]
    one, pooled = statistics.interval([low, high]), statistics.interval([low + high])
    assert one is not None
    assert pooled is not None
    assert one[1] - one[0] < 1 < pooled[1] - pooled[0]


def test_tests_are_scipys():
    assert statistics.p_value(B, A, paired=True) == pytest.approx(stats.ttest_rel(B, A).pvalue)
    assert statistics.p_value(B, A, paired=False) == pytest.approx(stats.ttest_ind(B, A, equal_var=False).pvalue)


def test_no_spread_means_no_test():
    """Neither of a constant difference of pairs, nor of two constants, nor of one value."""
    assert statistics.p_value([2.0, 3.0], [1.0, 2.0], paired=True) is None
    assert statistics.p_value([2.0, 2.0], [1.0, 1.0], paired=False) is None
    assert statistics.p_value([2.0], [1.0], paired=False) is None


def test_the_effect_size_is_hedges():
    """By its definition; the two have one standard deviation."""
    pooled = np.sqrt((np.var(A, ddof=1) + np.var(B, ddof=1)) / 2)
    assert statistics.effect_size(B, A) == pytest.approx((np.mean(B) - np.mean(A)) / pooled * (1 - 3 / 31))


@given(one=VALUES, other=VALUES)
@settings(max_examples=50, deadline=None)
def test_the_probability_of_improvement_is_the_share_of_pairs(one, other):
    """Ties count half; of a loss, the other way round."""
    share = np.mean([(a > b) + (a == b) / 2 for a in one for b in other])
    assert statistics.probability_of_improvement(one, other, "max") == pytest.approx(share)
    assert statistics.probability_of_improvement(one, other, "min") == pytest.approx(1 - share)


def test_holm():
    """The example is worked by hand: 0.01 · 4, 0.02 · 3, 0.03 · 2 and 0.04, each at least the one before."""
    assert statistics.holm([0.04, 0.01, None, 0.03, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06])


@pytest.mark.parametrize(("effect", "count", "paired"), [(0.5, 64, False), (0.8, 26, False), (0.5, 34, True)])
def test_power_is_as_published(effect, count, paired):
    """Cohen's (1988) numbers of a group, for 80 % at 5 %, two-sided."""
    assert statistics.power(effect, count, paired=paired) >= 0.8 > statistics.power(effect, count - 1, paired=paired)
