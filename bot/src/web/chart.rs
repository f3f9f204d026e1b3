//! Charts as SVG, each with a table of the same numbers. Colours come from the style sheet, so they follow the theme.

use maud::{Markup, html};

use super::context::Context;

/// The size of a chart, in the units of its coordinates; browsers scale it.
const SIZE: (u32, u32) = (720, 220);
/// The space beside the bars for the numbers, and below them for the labels.
const MARGIN: (u32, u32) = (56, 28);
/// Labels below a chart.
const LABELS: usize = 6;

/// A bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// What it stands for, as in the table.
    pub(crate) label: String,
    /// What it stands for, below the chart.
    pub(crate) short: String,
    pub(crate) value: u64,
}

/// Bars side by side, in their order. The headings are those of the table.
pub(crate) fn bars(context: &Context, title: &str, headings: [&str; 2], bars: &[Bar]) -> Markup {
    let number = |value: u64| context.language().number(value);
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    html! {
        figure.chart {
            figcaption { (title) }
            @if most == 0 {
                p.hint { (context.text("web-chart-empty")) }
            } @else {
                (drawing(title, bars, &number))
                details {
                    summary { (context.text("web-chart-table")) }
                    div.scroll tabindex="0" { table {
                        caption.hidden { (title) }
                        thead { tr { th scope="col" { (headings[0]) } th.number scope="col" { (headings[1]) } } }
                        tbody {
                            @for bar in bars.iter().filter(|bar| bar.value > 0) {
                                tr { th scope="row" { (bar.label) } td.number { (number(bar.value)) } }
                            }
                        }
                    } }
                }
            }
        }
    }
}

/// A part of the largest value, as a bar in a cell of a table that also has the number.
pub(crate) fn share(value: u64, most: u64) -> Markup {
    let width = percent(value, most);
    html! {
        svg.share viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.bar x="0" y="0" height="8" width=(width) {}
        }
    }
}

fn percent(value: u64, most: u64) -> u64 {
    (u128::from(value) * 100)
        .checked_div(most.into())
        .map_or(0, |part| u64::try_from(part).unwrap_or(100))
}

fn drawing(title: &str, bars: &[Bar], number: &impl Fn(u64) -> String) -> Markup {
    let (width, height) = SIZE;
    let (left, below) = MARGIN;
    let (inner_width, inner_height) = (width - left, height - below - 8);
    let top = round_up(bars.iter().map(|bar| bar.value).max().unwrap_or(0));
    let count = u32::try_from(bars.len().max(1)).unwrap_or(u32::MAX);
    // In thousandths of a unit, without fractions.
    let step = u64::from(inner_width) * 1_000 / u64::from(count);
    let x = |index: usize| u64::from(left) * 1_000 + step * index as u64;
    let y = |value: u64| {
        let high = u128::from(value) * u128::from(inner_height) * 1_000 / u128::from(top);
        u64::from(inner_height + 8) * 1_000 - u64::try_from(high).unwrap_or(0)
    };
    let every = bars.len().div_ceil(LABELS).max(1);
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(title) {
            @for part in [0, top / 2, top] {
                line.grid x1=(left) x2=(width) y1=(thousandths(y(part))) y2=(thousandths(y(part))) {}
                text.tick x=(left - 6) y=(thousandths(y(part))) text-anchor="end" dominant-baseline="middle" { (number(part)) }
            }
            @for (index, bar) in bars.iter().enumerate() {
                @if bar.value > 0 {
                    rect.bar x=(thousandths(x(index) + step / 10)) y=(thousandths(y(bar.value)))
                        width=(thousandths(step * 8 / 10)) height=(thousandths(y(0) - y(bar.value))) {
                        title { (bar.label) ": " (number(bar.value)) }
                    }
                }
                @if index % every == 0 {
                    text.tick x=(thousandths(x(index) + step / 2)) y=(height - 8) text-anchor="middle" { (bar.short) }
                }
            }
        }
    }
}

/// The lowest even number with one or two significant digits that is not below the value.
fn round_up(value: u64) -> u64 {
    let mut unit: u64 = 1;
    while value / unit >= 100 {
        unit *= 10;
    }
    let digits = value.div_ceil(unit).max(2);
    (digits + digits % 2).saturating_mul(unit)
}

fn thousandths(value: u64) -> String {
    format!("{}.{:03}", value / 1_000, value % 1_000)
}

#[cfg(test)]
mod tests;
