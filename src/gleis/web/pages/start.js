// Draws the charts of a page: each names one of gleisCharts and brings its rows.
(() => {
  const drawings = JSON.parse(document.getElementById("drawings").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const [ink, line] = ["--quiet", "--line"].map((name) => style.getPropertyValue(name).trim());
    return {
      background: "transparent",
      view: { stroke: null },
      axis: { labelColor: ink, titleColor: ink, tickColor: line, domainColor: line, gridColor: line },
      legend: { labelColor: ink, titleColor: ink },
    };
  }

  async function draw() {
    for (const { id, chart, rows } of drawings) {
      const place = document.getElementById(id);
      const spec = { ...window.gleisCharts[chart], data: { values: rows } };
      if (spec.height.step) {
        // A step a line: said in pixels, since a chart that is as wide as its place knows no steps.
        const field = (spec.encoding || spec.layer[0].encoding).y.field;
        spec.height = spec.height.step * new Set(rows.map((row) => row[field])).size;
      }
      spec.config = { ...spec.config, ...colours() };
      // ast: expressions are interpreted, so that the page needs no leave to make code from text.
      await vegaEmbed(place, spec, { actions: false, renderer: "svg", ast: true });
    }
  }

  if (!window.vegaEmbed || !window.gleisCharts) {
    for (const { id } of drawings) {
      document.getElementById(id).textContent = "The charts could not be loaded; reload the page.";
    }
    return;
  }
  draw();
  dark.addEventListener("change", draw);
})();
