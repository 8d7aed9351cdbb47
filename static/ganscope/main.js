// What the server's components and pages call (pages/ui/components/liveplot.py); each room is a file beside this one.

import { noticeUse } from "./connection.js";
import { listen } from "./keys.js";
import { followLinks } from "./links.js";

export { anatomy, removeAnatomy } from "./anatomy.js";
export { deliver } from "./deliver.js";
export { drawing, removeDrawing } from "./drawing.js";
export { feed, removeFeed } from "./feed.js";
export { LivePlot, plot, removePlot } from "./live_plot.js";
export { text } from "./live_text.js";
export { notices } from "./notices.js";
export { removeScrubber, scrub } from "./scrubber.js";
export { signInWay, tab } from "./tab.js";
export { removeWatch, watch, watchAlone } from "./watch.js";

listen();
noticeUse();
followLinks();
