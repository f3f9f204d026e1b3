// discord.js, unchanged, against the simulator: node client.mjs REST_URL

import { Client, Events, GatewayIntentBits, SlashCommandBuilder } from 'discord.js';

const [rest] = process.argv.slice(2);
const MESSAGES = 2_000;

async function control(method, path, body) {
  const answer = await fetch(`${rest}/simulator/${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

function report(name, passed, detail) {
  console.log(passed ? `ok - ${name}` : `not ok - ${name}: ${JSON.stringify(detail)}`);
}

async function until(condition, seconds = 30) {
  for (let tries = 0; tries < seconds * 50; tries += 1) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
  shards: 'auto',
  rest: { api: `${rest}/api` },
});

const sequences = new Map([[0, []], [1, []]]);
const created = new Map([[0, []], [1, []]]);
let seen = 0;
let resumed = 0;
let told = null;

client.on(Events.Raw, (packet, shard) => {
  if (packet.op !== 0) return;
  sequences.get(shard).push(packet.s);
  if (packet.t === 'MESSAGE_CREATE') created.get(shard).push(BigInt(packet.d.id));
});
client.on(Events.MessageCreate, (message) => {
  seen += 1;
  if (message.author.id === client.user.id) told = message;
});
client.on(Events.ShardResume, () => (resumed += 1));
client.on(Events.Error, (error) => console.log('error', error));
client.on(Events.InteractionCreate, async (interaction) => {
  const page = interaction.options.getInteger('page');
  await interaction.deferReply();
  await interaction.editReply(`Page ${page}`);
});

const range = (last) => Array.from({ length: last }, (_, at) => at + 1);
const same = (left, right) => left.length === right.length && left.every((value, at) => value === right[at]);
const ascending = (list) => list.every((value, at) => at === 0 || list[at - 1] < value);
const count = (map) => [...map.values()].reduce((sum, list) => sum + list.length, 0);

async function complete() {
  const sessions = await control('GET', 'sessions');
  return sessions.every(({ shard, last_seq: last }) => same(sequences.get(shard[0]), range(last)));
}

async function checks() {
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login('sim-token');
  await ready;
  const world = await control('GET', 'world');
  report('logs in and has all guilds', world.guilds.every(({ id }) => client.guilds.cache.has(id)), client.guilds.cache.size);
  const guild = client.guilds.cache.get(world.guilds[0].id);
  report('knows channels and roles', guild.channels.cache.size > 3 && guild.roles.cache.size > 5, guild);
  const both = client.ws.shards.size === 2 && client.guilds.cache.every((it) => sequences.get(it.shardId).length > 0);
  report('runs the shards that are recommended', both, client.ws.shards.size);

  await control('POST', 'generate', { events: MESSAGES });
  await until(() => count(sequences) > MESSAGES / 4);
  const cut = await control('POST', 'connections/reset?shard=0');
  const back = await until(() => resumed === 1);
  const whole = await until(complete);
  const stats = await control('GET', 'stats');
  report('resumes after a reset', back && cut.connections === 1 && stats.resumes === 1, [resumed, cut, stats.resumes]);
  report('does not identify again', stats.identifies.length === 2, stats.identifies);
  report('has every sequence once and in order', whole, [...sequences].map(([, list]) => list.length));
  report('has messages in order', [...created.values()].every(ascending), count(created));
  report('shows the bot every message', seen === count(created) && seen > MESSAGES / 2, [seen, count(created)]);

  await control('POST', 'generate', { events: 300 });
  await control('POST', 'connections/reconnect?shard=1');
  const again = await until(() => resumed === 2);
  report('resumes after op 7', again && (await until(complete)), resumed);

  const rank = new SlashCommandBuilder()
    .setName('leaderboard')
    .setDescription('Shows the leaderboard')
    .addIntegerOption((option) => option.setName('page').setDescription('Which page'));
  await client.application.commands.set([rank]);
  const asked = await control('POST', 'interactions', {
    guild_id: guild.id,
    user_id: world.guilds[0].busiest_members[0].id,
    type: 2,
    data: { type: 1, name: 'leaderboard', options: [{ name: 'page', type: 4, value: 7 }] },
  });
  let answer;
  await until(async () => (answer = await control('GET', `interactions/${asked.id}`)).edits.length > 0);
  report('answers a slash command', answer.original?.content === 'Page 7', answer);

  const channel = guild.channels.cache.first();
  const sent = await channel.send({ content: 'hello', nonce: 'conformance', enforceNonce: true });
  report('sends a message and is told of it', await until(() => told?.id === sent.id), told);
  const history = await channel.messages.fetch({ limit: 100 });
  report("reads a channel's history", history.size === 100 && history.first().id === sent.id, history.size);
}

try {
  await checks();
  report('closes in order', true);
} finally {
  await client.destroy();
}
