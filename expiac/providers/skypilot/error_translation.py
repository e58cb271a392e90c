"""SkyPilot's errors in words that a user can act on. Knows them by name, so that it needs no SkyPilot itself."""

from __future__ import annotations

import re

from expiac.providers.skypilot.places import nearest_cloud
from expiac.providers.skypilot.refusal import Refused, refusal_of
from expiac.providers.skypilot.statuses import one_line
from expiac.util.errors import ExpiacError, NoAccess, Unavailable

_AWAY = "SkyPilot's API server does not answer"
_START = "sky api info, sky api start, or for a remote one: sky api login -e URL"
_REFUSALS = {
    "away": (_AWAY, _START),
    "busy": ("SkyPilot's API server takes no more calls", "run the command again later, with a smaller --parallelism"),
}
_UNSEEN = {
    "ApiServerAuthenticationError": ("SkyPilot's API server does not let us in", "sky api login -e URL"),
    "APIVersionMismatchError": ("SkyPilot's client and server do not fit", "sky api stop && sky api start, or install "
                                "the server's version: pip install skypilot==VERSION"),
    "APINotSupportedError": ("SkyPilot's API server is too old", "have it upgraded to 0.14.1 or later"),
    "ClusterNotUpError": ("SkyPilot's jobs controller is not up", "sky jobs queue --refresh"),
    "RequestInterruptedError": ("SkyPilot's API server was restarted meanwhile", "run the command again"),
    "RequestCancelled": ("The request was cancelled in SkyPilot", "run the command again"),
    "ConnectionError": (_AWAY, _START),
    "Timeout": (_AWAY, _START),
    "RequestException": (_AWAY, _START),
    "TimeoutError": ("SkyPilot's API server does not answer in time", _START),
}
"""After these nobody knows what the server did or has."""
_NO_ACCESS = {
    "NoCloudAccessError": ("No cloud is enabled in SkyPilot", "sky check"),
    "CloudUserIdentityError": ("SkyPilot has no valid credentials", "sky check"),
    "InvalidCloudCredentials": ("SkyPilot has no valid credentials", "sky check"),
}
_REFUSED = {
    "InvalidCloudConfigs": ("SkyPilot's config of the cloud is wrong", "sky check -v"),
    "InvalidSkyPilotConfigError": ("SkyPilot refuses the task", "expiac render shows what it was given"),
    "ResourcesMismatchError": ("SkyPilot refuses the resources", "other gpus, nodes or infra"),
    "PermissionDeniedError": ("SkyPilot does not permit this", "ask the administrator of its API server"),
    "UserRequestRejectedByPolicy": ("A policy of SkyPilot's administrator refuses the task", ""),
    "NotSupportedError": ("SkyPilot can't do this there", "another infra, or without what it names"),
    "StorageError": ("SkyPilot can't store the files of the job", "sky check: a managed job's files go through "
                     "a bucket where the API server is not local"),
    "StorageSpecError": ("SkyPilot can't mount this", "file_mounts: target → a file or a folder that exists"),
}
_NO_INFRA = re.compile(r"'(?P<infra>[^']*)' does not match '\^\(\?:\(\?i:\(aws.*")
"""Its schema's own words on an `infra` that begins with no cloud's name."""
_QUOTA = ("quota", "limit exceeded", "insufficientinstancecapacity")
_PLACES = "sky check, and --infra=slurm/NAME, k8s/CONTEXT, aws/REGION, …"
_PLACE = ("infra", "cluster", "context", "cloud", "region", "zone", "partition")


def translate_error(error: BaseException, doing: str) -> ExpiacError:
    """The SDK's error as ours; `Unavailable` where it leaves open what happened, `Refused` where nothing happened."""
    names, words = [kind.__name__ for kind in type(error).__mro__], one_line(str(error) or type(error).__name__)
    detail = f"{doing}: {words}"
    if unknown := _NO_INFRA.search(words):
        return _no_place(unknown["infra"])
    if refusal := refusal_of(error):
        return Refused(_REFUSALS[refusal][0], detail, _REFUSALS[refusal][1])
    for name in names:
        if name in _UNSEEN:
            return Unavailable(_UNSEEN[name][0], detail, _UNSEEN[name][1])
        if name in _NO_ACCESS:
            return NoAccess(_NO_ACCESS[name][0], detail, _NO_ACCESS[name][1])
        if name in _REFUSED:
            return ExpiacError(_REFUSED[name][0], detail, _REFUSED[name][1])
    said = words.lower()
    if "ResourcesUnavailableError" in names:
        if any(word in said for word in _QUOTA):
            return ExpiacError("The cloud's quota is used up", detail, "another region or infra, or ask for more quota")
        return ExpiacError("No such resources", detail, "sky gpus list, sky check, or any_of=[…] to give a choice")
    if isinstance(error, ValueError):
        if any(word in said for word in _PLACE):
            return ExpiacError("SkyPilot does not know the place", detail, _PLACES)
        return ExpiacError("SkyPilot refuses the task", detail, "expiac render shows what it was given")
    # What we don't know may have left anything behind.
    return Unavailable("SkyPilot failed", f"{doing}: {type(error).__name__}: {words}", "sky api logs, sky api status")


def _no_place(infra: str) -> ExpiacError:
    near = nearest_cloud(infra)
    return ExpiacError("SkyPilot does not know the place", f"infra={infra!r} begins with none of its clouds",
                       f"did you mean {near}?" if near else _PLACES)
