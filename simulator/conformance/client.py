"""discord.py, unchanged, against the simulator: python client.py COMPRESSION REST_URL"""

import asyncio
import json
import sys
import urllib.request

import discord
from discord import app_commands

COMPRESSION, REST = sys.argv[1], sys.argv[2]
MESSAGES = 2_000
discord.http.Route.BASE = f"{REST}/api/v10"


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{REST}/simulator/{path}", data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


async def control_async(method, path, body=None):
    return await asyncio.to_thread(control, method, path, body)


def report(name, passed, detail=""):
    print(f"{'ok' if passed else 'not ok'} - {name}" + ("" if passed else f": {detail}"), flush=True)


async def until(condition, seconds=30):
    for _ in range(int(seconds * 50)):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return False


class Client(discord.AutoShardedClient):
    def __init__(self):
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(intents=intents, enable_debug_events=True)
        self.tree = app_commands.CommandTree(self)
        self.sequences = []
        self.created = []
        self.seen = 0
        self.resumed = 0
        self.told = None

    async def setup_hook(self):
        @self.tree.command(name="rank", description="Shows a rank")
        async def rank(interaction: discord.Interaction, member: discord.Member):
            await interaction.response.defer()
            await interaction.followup.send(f"{member.display_name} is on level 3")

        await self.tree.sync()

    async def on_socket_raw_receive(self, text):
        packet = json.loads(text)
        if packet["op"] == 0:
            self.sequences.append(packet["s"])
            if packet["t"] == "MESSAGE_CREATE":
                self.created.append(int(packet["d"]["id"]))

    async def on_message(self, message):
        self.seen += 1
        if message.author == self.user:
            self.told = message

    async def on_shard_resumed(self, _shard):
        self.resumed += 1


async def last_sequence():
    sessions = await control_async("GET", "sessions")
    return sessions[0]["last_seq"]


async def caught_up(client):
    last = await last_sequence()
    return await until(lambda: client.sequences and client.sequences[-1] == last)


async def checks(client):
    await client.wait_until_ready()
    world = await control_async("GET", "world")
    ids = {int(guild["id"]) for guild in world["guilds"]}
    report("logs in and has all guilds", {guild.id for guild in client.guilds} == ids, len(client.guilds))
    guild = client.get_guild(int(world["guilds"][0]["id"]))
    report("knows channels and roles", len(guild.text_channels) > 3 and len(guild.roles) > 5, guild)

    await control_async("POST", "generate", {"events": MESSAGES})
    await until(lambda: len(client.sequences) > MESSAGES // 4)
    cut = await control_async("POST", "connections/reset")
    resumed = await until(lambda: client.resumed == 1)
    await caught_up(client)
    stats = await control_async("GET", "stats")
    report("resumes after a reset", resumed and cut["connections"] == 1 and stats["resumes"] == 1, stats["resumes"])
    report("does not identify again", len(stats["identifies"]) == 1, stats["identifies"])
    last = await last_sequence()
    report("has every sequence once and in order", client.sequences == list(range(1, last + 1)), len(client.sequences))
    report("has messages in order", client.created == sorted(set(client.created)), len(client.created))
    delivered = len(client.created)
    seen = await until(lambda: client.seen == delivered)
    report("shows the bot every message", seen and delivered > MESSAGES // 2, (client.seen, delivered))

    await control_async("POST", "generate", {"events": 300})
    await control_async("POST", "connections/reconnect")
    resumed = await until(lambda: client.resumed == 2)
    await caught_up(client)
    last = await last_sequence()
    complete = client.sequences == list(range(1, last + 1))
    report("resumes after op 7", resumed and complete, (client.resumed, last, len(client.sequences)))

    user = world["guilds"][0]["busiest_members"][0]
    options = [{"name": "member", "type": 6, "value": user["id"]}]
    member = await guild.fetch_member(int(user["id"]))
    resolved = {"users": {user["id"]: member._user._to_minimal_user_json()}}
    resolved["members"] = {user["id"]: {"roles": [], "joined_at": member.joined_at.isoformat(), "permissions": "0", "flags": 0}}
    data = {"type": 1, "name": "rank", "options": options, "resolved": resolved}
    request = {"guild_id": str(guild.id), "user_id": user["id"], "type": 2, "data": data}
    asked = await control_async("POST", "interactions", request)
    answer = {}
    for _ in range(200):
        answer = await control_async("GET", f"interactions/{asked['id']}")
        if answer["edits"]:
            break
        await asyncio.sleep(0.02)
    content = (answer["original"] or {}).get("content", "")
    report("answers a slash command", content.endswith("is on level 3"), answer)

    sent = await guild.text_channels[0].send("hello", nonce="conformance")
    told = await until(lambda: client.told is not None)
    report("sends a message and is told of it", told and client.told.id == sent.id, client.told)
    history = [message async for message in guild.text_channels[0].history(limit=150)]
    report("reads a channel's history", len(history) > 100 and history[0].id == sent.id, len(history))
    stats = await control_async("GET", "stats")
    ratio = stats["bytes_sent"] / stats["delivered"]
    report(f"uses {COMPRESSION} compression", ratio < 700, ratio)


async def main():
    discord.utils.setup_logging(level=30)
    client = Client()
    running = asyncio.create_task(client.start("sim-token"))
    checking = asyncio.create_task(checks(client))
    done, _ = await asyncio.wait({running, checking}, return_when=asyncio.FIRST_COMPLETED)
    try:
        for task in done:
            task.result()
        report("closes in order", checking in done and not client.is_closed())
    finally:
        await client.close()
        checking.cancel()


asyncio.run(main())
