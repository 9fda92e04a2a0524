// Fetches what changed whenever the server says that something did. What was unfolded stays so, and the page stays where it was.
const live = document.getElementById("live");
const state = document.getElementById("state");
const titles = () => [...live.querySelectorAll("details")].map((each) => each.querySelector("summary").textContent);
let fetching = false, again = false;
const renew = async () => {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch("/drawn");
    if (!answer.ok) throw new Error(answer.status);
    const names = titles();
    const open = new Set(names.filter((_, at) => live.querySelectorAll("details")[at].open));
    const at = scrollY;
    live.innerHTML = await answer.text();
    for (const each of live.querySelectorAll("details"))
      each.open = open.has(each.querySelector("summary").textContent);
    dispatchEvent(new Event("renewed"));
    scrollTo({ top: at, behavior: "instant" });
    state.textContent = "Following; last change at " + new Date().toLocaleTimeString() + ".";
  } catch {
    state.textContent = "The program that serves this page does not answer; this is what there was.";
  }
  fetching = false;
  if (again) { again = false; renew(); }
};
const events = new EventSource("/events");
events.onmessage = renew;
events.onerror = () =>
  (state.textContent = "The program that serves this page does not answer; this is what there was.");
