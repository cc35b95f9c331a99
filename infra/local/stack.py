#!/usr/bin/env python3
"""Starts, describes and stops the whole stack on this machine: the emulator, the deployed template, optionally a fault proxy.

Needs Python's standard library only; the emulator and the SAM CLI come from .tools/venv. Everything that a stack writes is in
.local/NAME, so that stacks with different names run side by side.
"""

import argparse
import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import platform
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
VENV = REPO / ".tools" / "venv" / "bin"
REGION = "eu-west-1"
ACCOUNT = "000000000000"  # the emulator's
DEFAULT_PREFIX = "e-com67"  # template.yaml's
STACK_NAME = "e-com67-local"
BUCKET = "e-com67-local-deployments"  # samconfig.toml names it as well
# Binaries, and the names under which they are deployed.
DEPLOYED_AS = {
    "notification-orchestrator": "notification-orchestrator",
    "email-sender": "email-notification",
    "sms-sender": "sms-notification",
    "in-app-sender": "in-app-notification",
    "delivery-events": "delivery-events",
    "account-monitor": "account-monitor",
    "deferred-deliveries": "deferred-deliveries",
    "preferences-api": "preferences-api",
    "inbox-api": "inbox-api",
    "preferences-page": "preferences-page",
    "carrier-webhook": "carrier-webhook",
    "order-status": "order-status",
    "order-outbox": "order-outbox",
    "carrier-poller": "carrier-poller",
    "tracking-api": "tracking-api",
    "canary": "canary",
}
FUNCTIONS = list(DEPLOYED_AS)
# Every process of a stack carries this variable, so that a stray one can be told from somebody else's.
MARK = "E_COM67_STACK_STATE"
SECONDS_TO_ANSWER = 60
SECONDS_TO_STOP = 5

# Runs with the Python of .tools/venv. Makes the deployment bucket and the sender's identity, prints the status of the stack.
PREPARE = """
import sys, botocore.session
region, stack, bucket, sender = sys.argv[1:]
session = botocore.session.get_session()
client = lambda service: session.create_client(service, region_name=region)
s3, ses, cloudformation = client("s3"), client("sesv2"), client("cloudformation")
if bucket not in [found["Name"] for found in s3.list_buckets()["Buckets"]]:
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
try:
    ses.create_email_identity(EmailIdentity=sender)
except ses.exceptions.AlreadyExistsException:
    pass
try:
    print(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
except cloudformation.exceptions.ClientError:
    print("NONE")
"""


# Runs with the Python of .tools/venv. Prints the variables of a deployed function as JSON.
VARIABLES = """
import sys, json, botocore.session
region, function = sys.argv[1:]
functions = botocore.session.get_session().create_client("lambda", region_name=region)
print(json.dumps(functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]))
"""


# Runs with the Python of .tools/venv. Prints the outputs of the stack as JSON.
OUTPUTS = """
import sys, json, botocore.session
region, stack = sys.argv[1:]
cloudformation = botocore.session.get_session().create_client("cloudformation", region_name=region)
outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
print(json.dumps({output["OutputKey"]: output["OutputValue"] for output in outputs}))
"""


# Runs with the Python of .tools/venv. Makes the customer in the user pool unless it is there, logs in, prints the access token.
TOKEN = """
import sys, secrets, botocore.session
region, pool, client, user, group = sys.argv[1:]
cognito = botocore.session.get_session().create_client("cognito-idp", region_name=region)
try:
    cognito.admin_create_user(UserPoolId=pool, Username=user, MessageAction="SUPPRESS")
except cognito.exceptions.UsernameExistsException:
    pass
password = "aA1!" + secrets.token_urlsafe(24)
cognito.admin_set_user_password(UserPoolId=pool, Username=user, Password=password, Permanent=True)
if group:
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=user, GroupName=group)
answer = cognito.admin_initiate_auth(
    UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
    AuthParameters={"USERNAME": user, "PASSWORD": password},
)
print(answer["AuthenticationResult"]["AccessToken"])
"""


# Runs with the Python of .tools/venv. Gives the carriers of the laboratory their keys, and leaves accounts as they are.
CARRIER_KEYS = """
import sys, json, botocore.session
region, secret, path = sys.argv[1:]
secrets = botocore.session.get_session().create_client("secretsmanager", region_name=region)
kept = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
with open(path) as file:
    kept["webhooks"] = json.load(file)
secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(kept))
"""


class Failure(Exception):
    """What went wrong and what to do about it, in words for the person at the terminal."""


# --- up, down, env, status ---------------------------------------------------------------------------------------------------


def up(stack, options):
    parameters = parse_parameters(options.parameter)
    bootstrap_dir = Path(options.bootstrap_dir).resolve()
    check_prerequisites(bootstrap_dir, options.fault_proxy)
    prefix = wanted_parameters(parameters).get("Prefix", DEFAULT_PREFIX)
    steps = Steps()

    # A fault proxy knows the topic of one prefix.
    has_proxy_asked = bool(stack.proxy) == options.fault_proxy and (not stack.proxy or stack.prefix == prefix)
    if stack.is_healthy() and has_proxy_asked and stack.is_where_asked():
        status = prepare(stack, parameters)
        if status.endswith("ROLLBACK_COMPLETE") or status.endswith("FAILED"):
            steps.done(f"the last deployment ended as {status}, starting afresh")
        elif status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") and stack.deployed == fingerprint(bootstrap_dir, parameters):
            steps.done(f"running at {stack.endpoint}, nothing has changed")
            return
        else:
            steps.done(f"running at {stack.endpoint}, deploying what has changed")
            build = start_build(stack, bootstrap_dir)
            finish_build(stack, build, steps)
            deploy(stack, bootstrap_dir, parameters, steps)
            return

    if stack.stop():
        steps.done("stopped what was left of an earlier run")
    stack.start_clean()
    build = start_build(stack, bootstrap_dir)
    try:
        start_processes(stack, bootstrap_dir, options.fault_proxy, prefix, steps)
        prepare(stack, parameters)
        steps.done("sender identity and deployment bucket exist")
    except BaseException:
        build.terminate()
        build.wait()
        raise
    finish_build(stack, build, steps)
    deploy(stack, bootstrap_dir, parameters, steps)


def down(stack, _options):
    steps = Steps()
    was_running = stack.stop()
    shutil.rmtree(stack.directory, ignore_errors=True)
    steps.done(f"stack {stack.name} is stopped" if was_running else f"stack {stack.name} was not running")


def env(stack, _options):
    require_healthy(stack)
    values = {
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "E_COM67_PREFIX": stack.prefix,
    }
    if stack.deployed:
        outputs = ask(stack, OUTPUTS, STACK_NAME)
        values["E_COM67_API"] = outputs["ApiEndpoint"]
        values["E_COM67_CARRIER_ARCHIVE"] = outputs["CarrierArchiveBucket"]
        values["E_COM67_USER_POOL"] = outputs["UserPoolId"]
        values["E_COM67_USER_POOL_CLIENT"] = outputs["JwtAudience"]
        values["E_COM67_USER_POOL_KEYS"] = str(stack.directory / "emulator-state" / "cognito-pool-keys")
    values["AWS_XRAY_DAEMON_ADDRESS"] = stack.collector_address
    values["E_COM67_TRACES"] = str(stack.traces)
    if stack.proxy:
        values["FAULT_PROXY_URL"] = stack.proxy_url
    print("unset AWS_PROFILE AWS_SESSION_TOKEN" + ("" if stack.proxy else " FAULT_PROXY_URL"))
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")


def variables(stack, options):
    require_healthy(stack)
    deployed_as = f"{stack.prefix}-{DEPLOYED_AS[options.function]}"
    values = ask(stack, VARIABLES, deployed_as)
    endpoint = {"AWS_ENDPOINT_URL": stack.proxy_url if stack.proxy else stack.endpoint, "AWS_REGION": REGION}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**values, **endpoint, **keys}.items():
        print(f"{name}={value}")


def token(stack, options):
    require_healthy(stack)
    outputs = ask(stack, OUTPUTS, STACK_NAME)
    if not outputs.get("UserPoolId"):
        raise Failure("this stack believes another issuer's tokens: have one made there")
    print(asked(stack, TOKEN, outputs["UserPoolId"], outputs["JwtAudience"], options.user, options.group).strip())


def ask(stack, script, *arguments):
    return json.loads(asked(stack, script, *arguments))


def asked(stack, script, *arguments):
    answer = subprocess.run(
        [VENV / "python", "-c", script, REGION, *arguments],
        env=client_environment(stack), stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if answer.returncode:
        raise Failure(f"the emulator did not answer as expected:\n{tail(answer.stderr, 3)}")
    return answer.stdout


def status(stack, _options):
    require_healthy(stack)
    print(f"stack      {stack.name}, prefix {stack.prefix}, {'deployed' if stack.deployed else 'NOT deployed'}")
    print(f"emulator   {stack.endpoint} (process {stack.emulator['pid']}, log {relative(stack.emulator_log)})")
    if stack.proxy:
        print(f"proxy      {stack.proxy_url} (process {stack.proxy['pid']}, log {relative(stack.proxy_log)})")
    if stack.deployed:
        print(f"API        {ask(stack, OUTPUTS, STACK_NAME)['ApiEndpoint']} (a token: infra/local/stack.py token --name {stack.name} USER)")
    print(f"traces     {relative(stack.traces)}, taken at {stack.collector_address} (process {stack.collector['pid']}, log {relative(stack.collector_log)})")
    print(f"e-mails    {stack.endpoint}/_ministack/ses/messages")
    print(f"texts      {stack.endpoint}/_ministack/sns/sms-messages")
    if not stack.deployed:
        raise Failure(f"the deployment did not succeed: run '{command_for('up', stack)}'")


def require_healthy(stack):
    if not stack.is_healthy():
        raise Failure(f"stack {stack.name} is not running: start it with '{command_for('up', stack)}'")


def command_for(verb, stack):
    return f"make {verb}" if stack.name == "demo" else f"infra/local/stack.py {verb} --name {stack.name}"


# --- the state of a stack ----------------------------------------------------------------------------------------------------


class Stack:
    """What runs under one name, as written in .local/NAME/state.json."""

    def __init__(self, name):
        self.name = name
        self.directory = REPO / ".local" / name
        self.state_file = self.directory / "state.json"
        self.emulator_log = self.directory / "emulator.log"
        self.proxy_log = self.directory / "fault-proxy.log"
        self.collector_log = self.directory / "collector.log"
        self.traces = self.directory / "traces.jsonl"
        self.sam_log = self.directory / "sam.log"
        self.build_directory = self.directory / "build"
        # `port`, and `pid` with `started`, which together name one process for ever
        self.emulator = None
        self.proxy = None
        self.collector = None
        self.deployed = None
        self.prefix = DEFAULT_PREFIX
        with contextlib.suppress(OSError, ValueError):
            state = json.loads(self.state_file.read_text())
            self.emulator, self.proxy, self.collector = state["emulator"], state["proxy"], state["collector"]
            self.deployed, self.prefix = state["deployed"], state["prefix"]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.emulator['port']}"

    @property
    def proxy_url(self):
        return f"http://127.0.0.1:{self.proxy['port']}"

    @property
    def collector_address(self):
        return f"127.0.0.1:{self.collector['port']}"

    def save(self):
        state = {"emulator": self.emulator, "proxy": self.proxy, "collector": self.collector}
        state |= {"deployed": self.deployed, "prefix": self.prefix}
        scratch = self.state_file.with_suffix(".new")
        scratch.write_text(json.dumps(state, indent=1) + "\n")
        scratch.replace(self.state_file)

    def start_clean(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.directory / "tmp").mkdir(parents=True)
        self.emulator = self.proxy = self.collector = self.deployed = None

    def is_healthy(self):
        return (
            self.emulator is not None
            and is_alive(self.emulator)
            and answers(f"{self.endpoint}/_ministack/health")
            and self.collector is not None
            and is_alive(self.collector)
            and (self.proxy is None or (is_alive(self.proxy) and answers(f"{self.proxy_url}/_fault/health")))
        )

    def is_where_asked(self):
        """Whether the ports are those that the environment forces, where it forces any."""
        wanted = {"GATEWAY_PORT": self.emulator, "FAULT_PROXY_PORT": self.proxy}
        return all(process is None or forced_port(name) in (None, process["port"]) for name, process in wanted.items())

    def stop(self):
        """Ends every process of this stack, and no other; whether there was one."""
        found = [process for process in (self.emulator, self.proxy, self.collector) if process and is_alive(process)]
        for process in found:
            signal_group(process, signal.SIGTERM)
        wait_until(lambda: not any(is_alive(process) for process in found), SECONDS_TO_STOP)
        for process in found:
            if is_alive(process):
                signal_group(process, signal.SIGKILL)
        strays = marked_processes(self.directory)
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not marked_processes(self.directory), SECONDS_TO_STOP)
        return bool(found or strays)


# --- starting ----------------------------------------------------------------------------------------------------------------


def check_prerequisites(bootstrap_dir, fault_proxy):
    if sys.version_info < (3, 11):
        raise Failure("Python 3.11 or later is needed")
    for tool in ("ministack", "sam", "python"):
        if not (VENV / tool).exists():
            raise Failure(f"{tool} is missing from .tools/venv: run 'make tools'")
    if not shutil.which("make"):
        raise Failure("make is missing. On Debian and Ubuntu: sudo apt-get install make")
    for binary in FUNCTIONS + ["traces"] + (["fault-proxy"] if fault_proxy else []):
        if not (bootstrap_dir / binary).exists():
            raise Failure(f"{relative(bootstrap_dir / binary)} is missing: run 'make build'")


def start_processes(stack, bootstrap_dir, fault_proxy, prefix, steps):
    taken = set()
    for attempt in range(3):
        gateway_port = pick_port("GATEWAY_PORT", [4566] if attempt == 0 else [], taken)
        proxy_port = pick_port("FAULT_PROXY_PORT", [], taken) if fault_proxy else None
        try:
            start_collector(stack, bootstrap_dir / "traces", steps)
            if fault_proxy:
                start_proxy(stack, bootstrap_dir / "fault-proxy", proxy_port, gateway_port, prefix, steps)
            start_emulator(stack, gateway_port, proxy_port or gateway_port, steps)
            return
        except PortTaken:
            # Somebody took the port between our look and our start.
            stack.stop()
            stack.emulator = stack.proxy = stack.collector = None
            steps.done("a port was taken meanwhile, looking again")
    raise Failure("three attempts to find free ports failed: force one with GATEWAY_PORT or FAULT_PROXY_PORT")


class PortTaken(Exception):
    pass


def start_collector(stack, binary, steps):
    """Takes what the functions tell X-Ray's daemon on AWS."""
    stack.collector_log.write_bytes(b"")
    process = spawn(stack, [str(binary), "collect", "--out", str(stack.traces)], stack.collector_log, child_environment(stack))
    ports = []

    def is_up():
        ports[:] = re.findall(r"^listening on 127\.0\.0\.1:([0-9]+)$", stack.collector_log.read_text(errors="replace"), re.MULTILINE)
        return bool(ports)

    wait_until(lambda: process.poll() is not None or is_up(), SECONDS_TO_ANSWER)
    if not is_up():
        process.kill()
        raise Failure(f"the collector of traces did not start; the end of {relative(stack.collector_log)}:\n{tail(stack.collector_log.read_text())}")
    stack.collector = described(process, int(ports[0]))
    stack.save()
    steps.done(f"traces are taken at {stack.collector_address}")


def start_proxy(stack, binary, port, gateway_port, prefix, steps):
    arguments = [str(binary), "--listen", f"127.0.0.1:{port}", "--upstream", f"http://127.0.0.1:{gateway_port}"]
    # The emulator does not say what became of an e-mail; the proxy says it on this topic in the place of SES.
    arguments += ["--ses-events-topic", f"arn:aws:sns:{REGION}:{ACCOUNT}:{prefix}-ses-events"]
    process = spawn(stack, arguments, stack.proxy_log, child_environment(stack))
    stack.proxy = described(process, port)
    stack.save()
    await_answer("the fault proxy", process, f"{stack.proxy_url}/_fault/health", stack.proxy_log)
    steps.done(f"fault proxy answers at {stack.proxy_url}")


def start_emulator(stack, port, functions_port, steps):
    environment = child_environment(stack)
    environment |= {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "INFO",
        "S3_DATA_DIR": str(stack.directory / "s3"),
        "STATE_DIR": str(stack.directory / "emulator-state"),  # the keys of the user pool, among others
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",  # a second port, for a service that is not used here
        "SFTP_ENABLED": "0",  # the same
        "DOCKER_HOST": f"unix://{stack.directory}/no-docker.sock",  # containers are none of its business
        # Every function inherits this one. Without it they would call AWS itself.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{functions_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Lambda sets it on AWS; here it names the collector.
        "AWS_XRAY_DAEMON_ADDRESS": stack.collector_address,
    }
    process = spawn(stack, [str(VENV / "python"), "-m", "ministack"], stack.emulator_log, environment)
    stack.emulator = described(process, port)
    stack.save()
    health = f"{stack.endpoint}/_ministack/health"
    await_answer("the emulator", process, health, stack.emulator_log, announced=f"Running on {stack.endpoint}")
    steps.done(f"emulator answers at {stack.endpoint} (log: {relative(stack.emulator_log)})")


def spawn(stack, arguments, log, environment):
    """Starts a process in a group of its own that holds none of our files open."""
    with open(log, "ab") as output:
        return subprocess.Popen(
            arguments,
            cwd=stack.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def child_environment(stack):
    # Accounts, profiles and proxies of the caller are not for the emulator, nor for the functions, which inherit from it.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "LAMBDA_", "MAKE")) and not name.lower().endswith("_proxy")
    }
    return kept | {MARK: str(stack.directory), "TMPDIR": str(stack.directory / "tmp")}


def await_answer(what, process, url, log, announced=""):
    """Waits until the process answers. Its log says `announced` then; without that, another process answers in its place."""

    def is_up():
        return announced in log.read_text(errors="replace") and answers(url)

    wait_until(lambda: process.poll() is not None or is_up(), SECONDS_TO_ANSWER)
    text = log.read_text(errors="replace")
    if process.poll() is not None:
        if re.search(r"already in use", text, re.IGNORECASE):
            raise PortTaken
        raise Failure(f"{what} ended with code {process.returncode}; the end of {relative(log)}:\n{tail(text)}")
    if not is_up():
        raise Failure(f"{what} did not answer within {SECONDS_TO_ANSWER} s; the end of {relative(log)}:\n{tail(text)}")


def pick_port(variable, favourites, taken):
    forced = forced_port(variable)
    if forced is not None:
        if forced in taken or not is_free(forced):
            raise Failure(f"port {forced} is taken: set {variable} to a free one, or unset it to have one chosen")
        taken.add(forced)
        return forced
    for port in favourites:
        if port not in taken and is_free(port):
            taken.add(port)
            return port
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in taken:
            taken.add(port)
            return port


def forced_port(variable):
    value = os.environ.get(variable, "")
    if not value:
        return None
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise Failure(f"{variable} is '{value}': a port between 1 and 65535 was expected")
    return int(value)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


# --- deploying ---------------------------------------------------------------------------------------------------------------


def prepare(stack, parameters):
    sender = parameters.get("SenderEmail", "noreply@e-com67.com")
    arguments = [str(VENV / "python"), "-c", PREPARE, REGION, STACK_NAME, BUCKET, sender]
    result = subprocess.run(arguments, env=client_environment(stack), capture_output=True, text=True)
    if result.returncode:
        raise Failure(f"the emulator refused the sender's identity or the bucket:\n{tail(result.stderr)}")
    return result.stdout.strip()


def start_build(stack, bootstrap_dir):
    # Not cached: SAM would look at the source folder alone, which never changes, and not at the binaries.
    arguments = [str(VENV / "sam"), "build", "--config-env", "local", "--build-dir", str(stack.build_directory)]
    environment = client_environment(stack) | {"BOOTSTRAP_DIR": str(bootstrap_dir)}
    with open(stack.sam_log, "ab") as log:
        return subprocess.Popen(
            arguments, cwd=REPO, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )


def finish_build(stack, build, steps):
    if build.wait():
        raise Failure(f"sam build failed; the end of {relative(stack.sam_log)}:\n{tail(stack.sam_log.read_text())}")
    steps.done("functions and templates are built")


def deploy(stack, bootstrap_dir, parameters, steps):
    stack.deployed = None
    stack.save()
    # Before the deployment: a binary that changes meanwhile is deployed again next time.
    mark = fingerprint(bootstrap_dir, parameters)
    wanted = wanted_parameters(parameters)
    overrides = [f"ParameterKey={key},ParameterValue={quoted(value)}" for key, value in wanted.items()]
    arguments = [str(VENV / "sam"), "deploy", "--config-env", "local", "--config-file", str(REPO / "samconfig.toml")]
    arguments += ["--template-file", str(stack.build_directory / "template.yaml"), "--parameter-overrides", *overrides]
    with open(stack.sam_log, "ab") as log:
        result = subprocess.run(
            arguments, cwd=REPO, env=client_environment(stack), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    if result.returncode:
        raise Failure(f"sam deploy failed; the end of {relative(stack.sam_log)}:\n{tail(stack.sam_log.read_text())}")
    asked(stack, CARRIER_KEYS, f"{wanted.get('Prefix', DEFAULT_PREFIX)}/carriers", str(REPO / "events/carriers/keys.json"))
    stack.deployed = mark
    stack.prefix = wanted.get("Prefix", DEFAULT_PREFIX)
    stack.save()
    steps.done(f"stack {stack.name} is deployed (log: {relative(stack.sam_log)})")


def client_environment(stack):
    environment = child_environment(stack)
    del environment[MARK]
    environment |= {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
    }
    if stack.emulator:
        environment["AWS_ENDPOINT_URL"] = stack.endpoint
    return environment


def fingerprint(bootstrap_dir, parameters):
    """Equal for equal deployments: templates and answers by content, binaries by size and time."""
    digest = hashlib.sha256(json.dumps([architecture(), parameters], sort_keys=True).encode())
    for file in [REPO / "template.yaml", REPO / "samconfig.toml", *sorted((REPO / "infra").glob("*.yaml"))]:
        digest.update(file.read_bytes())
    for name in FUNCTIONS:
        binary = bootstrap_dir / name
        binary = binary / "bootstrap" if binary.is_dir() else binary
        found = binary.stat()
        digest.update(f"{binary} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def wanted_parameters(parameters):
    return local_parameters() | {"Architecture": architecture()} | parameters


def local_parameters():
    """What samconfig.toml gives the emulator, which --parameter-overrides on the command line would replace as a whole."""
    with open(REPO / "samconfig.toml", "rb") as file:
        overrides = tomllib.load(file)["local"]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in shlex.split(overrides))


def parse_parameters(pairs):
    parameters = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key.isalnum():
            raise Failure(f"--parameter {pair}: expected Key=Value, for example --parameter RetryBaseSeconds=1")
        parameters[key] = value
    return parameters


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def architecture():
    machine = platform.machine().lower()
    return "arm64" if machine in ("arm64", "aarch64") else "x86_64"


# --- processes ---------------------------------------------------------------------------------------------------------------


def described(process, port):
    return {"port": port, "pid": process.pid, "started": started_at(process.pid)}


def is_alive(process):
    return process["started"] is not None and started_at(process["pid"]) == process["started"]


def started_at(pid):
    """When the process started, or None when there is none; with the id it names one process for ever."""
    with contextlib.suppress(OSError):
        # The name, in brackets, may hold anything: the fields are counted from behind it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    if Path("/proc/self").exists():
        return None
    found = subprocess.run(["ps", "-o", "lstart=,stat=", "-p", str(pid)], capture_output=True, text=True).stdout.split()
    return None if not found or found[-1].startswith("Z") else " ".join(found[:-1])


def signal_group(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process["pid"], number)


def marked_processes(directory):
    """Processes that a stack's emulator left behind when it was killed; found where the system has /proc."""
    mark = f"{MARK}={directory}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid() and started_at(pid)]


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


# Without the proxies that the environment may name: what is asked is on this machine.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url):
    try:
        with DIRECT.open(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False


# --- words -------------------------------------------------------------------------------------------------------------------


class Steps:
    """One line per step, with the seconds since the beginning."""

    def __init__(self):
        self.begin = time.monotonic()

    def done(self, text):
        print(f"{time.monotonic() - self.begin:6.1f} s  {text}", flush=True)


def relative(path):
    return os.path.relpath(path, REPO)


def tail(text, lines=40):
    return "\n".join(text.rstrip().splitlines()[-lines:])


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Runs the whole system on this machine, without an AWS account and without Docker.",
        epilog="Ports are chosen (4566 when it is free); GATEWAY_PORT and FAULT_PROXY_PORT in the environment force one.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(function, text):
        command = commands.add_parser(function.__name__, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument(
            "--name",
            default=os.environ.get("STACK_NAME") or "demo",
            help="which stack; stacks with different names run side by side (default: STACK_NAME, else demo)",
        )
        command.set_defaults(run=function)
        return command

    start = add(up, "start the stack, or deploy to it what has changed")
    start.add_argument("--fault-proxy", action="store_true", help="let the AWS calls of all functions pass through a fault proxy")
    start.add_argument("--parameter", action="append", default=[], metavar="Key=Value", help="a parameter of template.yaml; repeatable")
    start.add_argument(
        "--bootstrap-dir",
        default=os.environ.get("BOOTSTRAP_DIR") or str(REPO / "target" / "local"),
        help="where the binaries are (default: BOOTSTRAP_DIR, else target/local)",
    )
    add(down, "stop the stack and remove its state; succeeds when nothing runs")
    add(env, "print the shell commands that point AWS clients at the stack")
    of_function = add(variables, "print a function's variables, for cargo lambda watch --env-file")
    of_function.add_argument("function", choices=FUNCTIONS, help="the binary")
    of_user = add(token, "print an access token of a customer, who is made where there is none")
    of_user.add_argument("user", help="the userId of events and preferences")
    of_user.add_argument("--group", default="", help="a role, such as admin")
    add(status, "say what runs and where; fails when nothing does")
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", options.name):
            raise Failure(f"--name {options.name}: lower-case letters, digits and hyphens were expected")
        if options.command in ("env", "status", "token", "variables"):
            options.run(Stack(options.name), options)
            return 0
        (REPO / ".local").mkdir(exist_ok=True)
        with open(REPO / ".local" / f"{options.name}.lock", "w") as lock:
            # One at a time per name; the lock ends with this process, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX)
            options.run(Stack(options.name), options)
        return 0
    except Failure as failure:
        print(f"stack.py: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stack.py: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
