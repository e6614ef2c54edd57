"""The step type `greet`: a greeting, at once or some seconds later. The messages are those of plugins/sdk/PROTOCOL.md."""
import json, os, sys, threading, time, traceback

PARAMS = {"type": "object", "required": ["name"], "additionalProperties": False, "properties": {
    "name": {"type": "string", "minLength": 1}, "seconds": {"type": "number", "minimum": 0, "default": 0}}}
TYPE = {"type": "greet", "version": "1.0.0", "title": "Greet", "params": PARAMS}
out, sys.stdout = sys.stdout, sys.stderr  # stdout is for messages: whatever else is printed goes to the server's log
lock, timers = threading.Lock(), {}

def say(**message):
    with lock:  # threads take turns
        print(json.dumps(message), file=out, flush=True)

def start(step):  # may be asked again, by a later process too: the uuid's folder knows what has been done
    os.makedirs(step["directory"], exist_ok=True)
    if os.path.exists(os.path.join(step["directory"], "stopped")):
        return {"state": "STOPPED"}
    try:
        with open(os.path.join(step["directory"], "greeting"), "x") as file:
            file.write("Hello " + step["params"]["name"] + "\n")
        say(type="log", uuid=step["uuid"], stream="stdout", text="Hello " + step["params"]["name"] + "\n")
    except FileExistsError:
        pass
    return execute(step)

def execute(step):  # never waits: what takes its time is done by a thread, which wakes the step
    timers.pop(step["uuid"], None)
    left = step["startTime"] / 1000 + step["params"]["seconds"] - time.time()
    if left <= 0:
        return {"state": "DONE", "outputs": {"greeting": "Hello " + step["params"]["name"]}}
    timer = timers[step["uuid"]] = threading.Timer(left, say, kwargs={"type": "wake", "uuid": step["uuid"]})
    timer.daemon = True  # it does not keep the process when the server has gone
    timer.start()
    return {"state": "CONTINUE"}

def terminate(step):
    os.makedirs(step["directory"], exist_ok=True)
    open(os.path.join(step["directory"], "stopped"), "w").close()
    return {"state": "STOPPED"}

for line in sys.stdin.buffer:  # ends when the server closes it, or is gone
    message = json.loads(line)
    if message["type"] == "hello":
        say(type="hello", apiVersion=1, stepTypes=[TYPE])
    elif message["type"] == "ping":
        say(type="pong")
    elif message["type"] == "abort" and message["uuid"] in timers:
        timers.pop(message["uuid"]).cancel()
    elif message["type"] == "call":
        try:
            answer = {"start": start, "execute": execute, "terminate": terminate}[message["op"]](message["context"])
        except Exception as error:
            traceback.print_exc()
            answer = {"state": "PLATFORM_ERROR", "timeline": [{"level": "ERROR", "message": str(error)}]}
        say(type="result", id=message["id"], **answer)
