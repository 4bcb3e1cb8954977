import pytest

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings.profiles import PodProfile, load_profile, profile_names

GOOD = """
[small]
gpus = 2
cpus = 4
memory_gib = 32
shared_memory_gib = 8
scratch_gib = 4
active_deadline_s = 3600
tolerations = [{ key = "gpu", effect = "NoSchedule", operator = "Equal", value = "yes" }]
"""


@pytest.fixture
def profiles(tmp_path):
    """Write a profile file, with lines of GOOD changed or added."""

    def write(old="", new=""):
        path = tmp_path / "profiles.toml"
        path.write_text(GOOD.replace(old, new))
        return path

    return write


def test_every_packaged_profile_loads():
    assert set(profile_names()) == {
        *("a100x4", "h100x4", "h100x2", "h200x2", "awq-1gpu"),
        *("l4x1", "a10g-1gpu", "rtx4090-1gpu", "cpu-openai", "cpu-preview"),
    }
    for name in profile_names():
        assert load_profile(name).name == name


def test_packaged_gpu_profiles_hold_the_76b_model():
    """141 GB of language model split over the GPUs, 11 GB of vision model on each."""
    gpu_gb = {"h100x4": 80, "h200x2": 141, "a100x4": 80}
    for name, size in gpu_gb.items():
        assert 141 / load_profile(name).gpus + 11 < size * 0.9


def test_a_profile_reads_as_written(profiles):
    profile = load_profile("small", profiles())
    assert (profile.gpus, profile.cpus, profile.memory_gib) == (2, 4, 32)
    (toleration,) = profile.tolerations
    assert (toleration.key, toleration.operator, toleration.value) == ("gpu", "Equal", "yes")


def test_an_unknown_profile_names_those_there_are(profiles):
    with pytest.raises(SettingsError, match="CAPTIONS_GPU_PROFILE='big' .* has: small"):
        load_profile("big", profiles())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cpus = 4", "", "cpus"),
        ("cpus = 4", "cpus = 0", "cpus must be"),
        ("cpus = 4", "cpus = 1.5", "cpus must be"),
        ("cpus = 4", "cpus = true", "cpus must be"),
        ("gpus = 2", "gpus = -1", "gpus must be"),
        ("cpus = 4", "cpus = 4\nspeed = 9", "speed"),
        ("shared_memory_gib = 8", "", "more than one GPU"),
        ("shared_memory_gib = 8", "shared_memory_gib = 32", "must be below it"),
        ("scratch_gib = 4", "scratch_gib = 4\ntermination_grace_s = 3600", "below active_deadline"),
        ('effect = "NoSchedule"', 'effect = "Sometimes"', "effect 'Sometimes' is not one"),
        (', value = "yes"', "", "Equal takes a value"),
        ("[small]", "[small", "not valid TOML"),
    ],
)
def test_a_profile_that_cannot_work_is_refused(profiles, old, new, message):
    with pytest.raises(SettingsError, match=message):
        load_profile("small", profiles(old, new))


def test_a_profile_cannot_change_after_its_checks():
    profile = load_profile("cpu-preview")
    with pytest.raises(AttributeError):
        profile.cpus = 0
    assert isinstance(profile, PodProfile)
