// Draws the charts of the admin: finds their data in the page, and follows its size and theme.
"use strict";
(() => {
  const HEIGHT = 240;
  const LINE_WIDTH = 1.5;

  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  const shown = (value) =>
    value === null || value === undefined
      ? "\u2014"
      : value.toLocaleString(undefined, { maximumFractionDigits: 2 });

  const instant = (seconds, zone, bars) => {
    const parts = bars
      ? { year: "numeric", month: "2-digit", day: "2-digit" }
      : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return new Date(seconds * 1000).toLocaleString("sv-SE", { ...parts, timeZone: zone });
  };

  const lineOf = (line, data) => {
    const stroke = colour(`--energycore-${line.role}`);
    return {
      label: line.label,
      stroke,
      width: LINE_WIDTH,
      fill: data.bars ? stroke : undefined,
      paths: data.bars ? uPlot.paths.bars({ size: [0.8, 40], align: 1 }) : undefined,
      points: { show: false },
      value: (chart, value) => shown(value),
    };
  };

  const axis = (more) => ({
    stroke: colour("--body-quiet-color"),
    grid: { stroke: colour("--hairline-color"), width: 1 },
    ticks: { stroke: colour("--hairline-color"), width: 1 },
    ...more,
  });

  const optionsOf = (data, width) => ({
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), data.zone),
    scales: {
      x: { range: () => data.range },
      y: {
        range: (chart, low, high) => {
          if (data.unit === "%") return [0, 100];
          const least = Math.min(0, low ?? 0);
          const most = Math.max(0, high ?? 0);
          const room = (most - least || 1) * 0.05;
          return [least < 0 ? least - room : 0, most > 0 || least === 0 ? most + room : 0];
        },
      },
    },
    axes: [
      axis({
        space: 60,
        values: (chart, splits) =>
          splits.map((at) => {
            const text = instant(at, data.zone, data.bars);
            return data.bars ? text.slice(5) : text;
          }),
      }),
      axis({ size: 60, values: (chart, splits) => splits.map(shown) }),
    ],
    cursor: { drag: { x: false, y: false } },
    series: [
      { label: "At", value: (chart, at) => (at === null ? "\u2014" : instant(at, data.zone, data.bars)) },
      ...data.lines.map((line) => lineOf(line, data)),
    ],
  });

  const draw = (figure) => {
    const place = figure.querySelector(".energycore-canvas");
    const source = document.getElementById(figure.dataset.energycoreChart);
    if (!place || !source) return null;
    const data = JSON.parse(source.textContent);
    const values = [data.at, ...data.lines.map((line) => line.values)];
    let chart = null;
    const again = () => {
      if (chart) chart.destroy();
      chart = new uPlot(optionsOf(data, place.clientWidth), values, place);
    };
    new ResizeObserver(() => {
      if (chart && place.clientWidth && place.clientWidth !== chart.width) {
        chart.setSize({ width: place.clientWidth, height: HEIGHT });
      }
    }).observe(place);
    again();
    return again;
  };

  const start = () => {
    const drawn = [...document.querySelectorAll("[data-energycore-chart]")].map(draw);
    const redraw = () => drawn.forEach((again) => again && again());
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(root, { attributeFilter: ["data-theme"] });
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
