"""A step type that does nothing, in a process: the `process` side of burden.ts."""
import json, sys

TYPE = {"type": "BenchPiped", "version": "1.0.0", "params": {"type": "object"}}

def say(**message):
    print(json.dumps(message), flush=True)

for line in sys.stdin.buffer:
    message = json.loads(line)
    if message["type"] == "hello":
        say(type="hello", apiVersion=1, stepTypes=[TYPE])
    elif message["type"] == "ping":
        say(type="pong")
    elif message["type"] == "call":
        say(type="result", id=message["id"], state="STOPPED" if message["op"] == "terminate" else "DONE")
