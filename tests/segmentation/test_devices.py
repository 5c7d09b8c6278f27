import subprocess
import sys

import pytest
import torch

from animecut.errors import DeviceError
from animecut.segmentation import devices
from animecut.segmentation.devices import choose_device, missing_runtime


def there(monkeypatch: pytest.MonkeyPatch, *, torch_too: bool = True, cuda: int = 0, driver: bool = False) -> None:
    """A machine with these."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "_has_torch", lambda: torch_too)
    monkeypatch.setattr(devices, "_has_nvidia", lambda: driver)


def test_a_device_that_is_not_there_is_an_error_and_never_a_silent_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, driver=True)
    with pytest.raises(DeviceError, match="`device` cuda: PyTorch finds no such"):
        choose_device("cuda")
    assert choose_device("auto") == "cpu"


@pytest.mark.parametrize("name", ["cpu:x", "cuda:x", "cuda:", "xpu", "tpu", ""])
def test_an_unknown_device_is_one_line(name: str) -> None:
    with pytest.raises(DeviceError, match=rf"`device` {name}: unknown"):
        choose_device(name)


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, cuda=2, driver=True)
    assert [choose_device(name) for name in ("auto", "cuda", "cuda:1", "cpu")] == ["cuda", "cuda", "cuda:1", "cpu"]
    with pytest.raises(DeviceError, match="`device` cuda:2: PyTorch finds no such"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_a_gpu_asked_for_without_torch_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, torch_too=False, driver=True)
    with pytest.raises(DeviceError, match=rf"^`device` {name}: needs PyTorch; pip install 'animecut\[gpu\]'"):
        choose_device(name)


@pytest.mark.parametrize("torch_too", [True, False])
@pytest.mark.parametrize("driver", [True, False])
@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_gpu_that_is_passed_over_is_told_once_where_nobody_chose(
    monkeypatch: pytest.MonkeyPatch, name: str, driver: bool, torch_too: bool
) -> None:
    there(monkeypatch, torch_too=torch_too, driver=driver)
    line = missing_runtime(name)
    assert (line is not None) == (name == "auto" and driver and not torch_too)
    assert line is None or ("animecut[gpu]" in line and "\n" not in line)
    assert choose_device(name) == "cpu"


def test_a_driver_is_found_by_its_files_or_its_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(devices, "NVIDIA", (f"{tmp_path}/none",))
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not devices._has_nvidia()
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert devices._has_nvidia()
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(devices, "NVIDIA", (f"{tmp_path}/none", f"{tmp_path}"))
    assert devices._has_nvidia()


def test_torch_is_not_imported_where_no_gpu_can_be() -> None:
    code = (
        "import sys\nfrom animecut.segmentation import devices\ndevices._may_have_gpu = lambda: False\n"
        "print(devices.choose_device('auto'), devices.choose_device('cpu'), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cpu", "cpu", "False"]
