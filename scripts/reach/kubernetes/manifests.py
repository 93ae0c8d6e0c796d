"""What the manifests of this folder say: checks them, and prints the arguments of a container.

    manifests.py check FILE...                       names, fields that matter and, with kubernetes-validate, the whole schema
    manifests.py arguments FILE KIND [OLD=NEW]...    one a line, with other values in place of those of a cluster

Wants PyYAML. Exits with 1 and a line for each problem.
"""

import sys

import yaml

try:
    import kubernetes_validate
except ImportError:
    kubernetes_validate = None

# Older clusters know all that these manifests use, too.
VERSION = "1.33"

VERSION_OF_KIND = {
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "PersistentVolumeClaim": "v1",
    "Service": "v1",
}
# What every pod must have; the schemas leave all of it open.
POD = {
    ("automountServiceAccountToken",): False,
    ("securityContext", "runAsNonRoot"): True,
    ("securityContext", "runAsUser"): 65532,
    ("securityContext", "seccompProfile", "type"): "RuntimeDefault",
}
CONTAINER = {
    ("image",): "hola",
    ("securityContext", "allowPrivilegeEscalation"): False,
    ("securityContext", "readOnlyRootFilesystem"): True,
    ("securityContext", "capabilities", "drop"): ["ALL"],
}
# What makes a Job one load by ranks: all pods at once, each with an index, and none a second time.
JOB = {
    ("completionMode",): "Indexed",
    ("backoffLimit",): 0,
    ("template", "spec", "restartPolicy"): "Never",
}


def documents(path):
    with open(path, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def at(value, keys):
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def differences(value, wanted):
    for keys, expected in wanted.items():
        found = at(value, keys)
        if found != expected:
            yield f"{'.'.join(keys)} is {found!r}, not {expected!r}"


def pod_problems(pod):
    yield from differences(pod, POD)
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    for container in pod["containers"]:
        yield from differences(container, CONTAINER)
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                yield f"no volume {mount['name']}"
        for kind in [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")]:
            if at(container, ("resources",) + kind) is None:
                yield f"resources have no {'.'.join(kind)}"


def rank_problems(spec):
    yield from differences(spec, JOB)
    arguments = spec["template"]["spec"]["containers"][0]["args"]
    ranks = arguments[arguments.index("--ranks") + 1]
    for name in ["completions", "parallelism"]:
        if str(spec.get(name)) != ranks:
            yield f"{name} is {spec.get(name)}, and --ranks {ranks}"


def schema_problems(document):
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


def reference_problems(document, everything):
    """Names that lead nowhere, which no schema sees."""
    spec = document["spec"]
    labels = at(spec, ("template", "metadata", "labels"))
    if document["kind"] == "Deployment" and at(spec, ("selector", "matchLabels")) != labels:
        yield "selects other pods than its own"
    deployments = [at(one, ("spec", "template", "metadata", "labels")) for one in everything if one["kind"] == "Deployment"]
    if document["kind"] == "Service" and spec["selector"] not in deployments:
        yield "selects the pods of no Deployment"
    claims = [one["metadata"]["name"] for one in everything if one["kind"] == "PersistentVolumeClaim"]
    for volume in at(spec, ("template", "spec", "volumes")) or []:
        if at(volume, ("persistentVolumeClaim", "claimName")) not in claims:
            yield f"volume {volume['name']} claims nothing that is there"


def problems(document, everything):
    kind, version = document.get("kind"), document.get("apiVersion")
    if VERSION_OF_KIND.get(kind) != version:
        yield f"{kind} of {version}"
        return
    if kubernetes_validate:
        yield from schema_problems(document)
    yield from reference_problems(document, everything)
    spec = document["spec"]
    if "template" in spec:
        pod = spec["template"]["spec"]
        yield from pod_problems(pod)
        if "--ranks" in pod["containers"][0]["args"]:
            yield from rank_problems(spec)


def check(paths):
    if not kubernetes_validate:
        print("not checked by the schemas of Kubernetes: there is no kubernetes-validate")
    named = [(path, document) for path in paths for document in documents(path)]
    everything = [document for _, document in named]
    found = False
    for path, document in named:
        for problem in problems(document, everything):
            print(f"{path}: {at(document, ('metadata', 'name'))}: {problem}", file=sys.stderr)
            found = True
    return int(found)


def arguments(path, kind, *replacements):
    values = dict(replacement.split("=", 1) for replacement in replacements)
    document = next(one for one in documents(path) if one["kind"] == kind)
    for word in document["spec"]["template"]["spec"]["containers"][0]["args"]:
        for old, new in values.items():
            word = word.replace(old, new)
        print(word)
    return 0


if __name__ == "__main__":
    command, *words = sys.argv[1:] or ["help"]
    if command == "check":
        sys.exit(check(words))
    if command == "arguments":
        sys.exit(arguments(*words))
    sys.exit(__doc__)
