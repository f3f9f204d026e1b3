//! Measures the simulator: reads raw events as fast as they come and prints rates and CPU times.
//!
//! `cargo run --release -p discord-simulator --example load -- [seconds] [none|zstd-stream|zlib-stream] [shards] [content]`

use std::{io::Write as _, time::Duration};

use discord_simulator::{GatewayRules, Rate, Simulator, SimulatorConfig, Traffic};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

/// Guild messages without the content intent, as a bot that counts them asks for.
const COUNTING: u64 = 1 | 1 << 9;
/// The same with the content.
const READING: u64 = COUNTING | 1 << 15;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    let compression = arguments.next().unwrap_or_else(|| "none".to_owned());
    let shards: u32 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(4);
    let intents = if arguments.next().is_some() {
        READING
    } else {
        COUNTING
    };
    let simulator = Simulator::start_on_own_thread(SimulatorConfig {
        shards,
        guilds: 200,
        members: 20_000,
        traffic: Traffic {
            other: 0.0,
            ..Traffic::default()
        },
        gateway: GatewayRules {
            history_limit: 10_000_000,
            ..GatewayRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await?;
    let control = simulator.control();
    let address = simulator.gateway_url().trim_start_matches("ws://").to_owned();
    let mut clients = tokio::task::JoinSet::new();
    for shard in 0..shards {
        let stream = connect(&address, &compression, intents, [shard, shards]).await?;
        clients.spawn(read(stream));
    }
    control
        .wait_until(
            |stats| stats.sessions_started() == shards as usize,
            Duration::from_secs(5),
        )
        .await;
    control.wait_drained(Duration::from_secs(5)).await;

    let mut out = std::io::stdout();
    for rate in [Rate::PerSecond(100_000.0), Rate::Full] {
        let (before, cpu, start) = (control.stats(), simulator.cpu_time(), Instant::now());
        control.set_rate(rate);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        control.pause();
        let (after, wall) = (control.stats(), start.elapsed().as_secs_f64());
        let cpu = simulator
            .cpu_time()
            .unwrap_or_default()
            .saturating_sub(cpu.unwrap_or_default())
            .as_secs_f64();
        let events = after.delivered - before.delivered;
        let bytes = after.bytes_sent - before.bytes_sent;
        writeln!(
            out,
            "{rate:?}: {events} events in {wall:.1} s, {} events/s, {} bytes each, {:.0} % of a core, {} events per CPU second, {} kept",
            rounded(events, wall),
            bytes / events.max(1),
            100.0 * cpu / wall,
            rounded(events, cpu),
            after.history,
        )?;
        control.wait_drained(Duration::from_secs(30)).await;
    }
    let before = resident_kib();
    let missing = 10_000_000_u64.saturating_sub(control.stats().history);
    control.drop_connections(None);
    let start = Instant::now();
    control.generate(missing);
    control
        .wait_until(|stats| stats.history >= 10_000_000, Duration::from_mins(2))
        .await;
    writeln!(
        out,
        "{} events in the log, resident {} MiB (before the last {missing}: {} MiB), made in {:.1} s",
        control.stats().history,
        resident_kib() / 1_024,
        before / 1_024,
        start.elapsed().as_secs_f64(),
    )?;
    clients.abort_all();
    simulator.stop().await;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rounded(events: u64, seconds: f64) -> String {
    format!("{:.0}", events as f64 / seconds)
}

async fn connect(
    address: &str,
    compression: &str,
    intents: u64,
    [shard, shards]: [u32; 2],
) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let compress = if compression == "none" {
        String::new()
    } else {
        format!("&compress={compression}")
    };
    let request = format!(
        "GET /?v=10&encoding=json{compress} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let identify = format!(
        r#"{{"op":2,"d":{{"token":"sim-token","intents":{intents},"shard":[{shard},{shards}],"properties":{{}}}}}}"#
    );
    let mut frame = vec![0x81, 0x80 | 0x7e];
    frame.extend(u16::try_from(identify.len()).unwrap_or(0).to_be_bytes());
    // A mask of zeros is a mask.
    frame.extend([0; 4]);
    frame.extend(identify.as_bytes());
    stream.write_all(&frame).await?;
    Ok(stream)
}

async fn read(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 20];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default()
        .to_owned();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}
