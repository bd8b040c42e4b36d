export const OPEN = "autostack:palette";
export const KEYS = "autostack:keys";
export const openPalette = () => dispatchEvent(new Event(OPEN));
export const showKeys = () => dispatchEvent(new Event(KEYS));

const KEPT = "single-keys";
const FIELDS = "input,textarea,select,[contenteditable]";

/** Whether single letters are commands: who speaks to a computer turns that off (WCAG 2.1.4). */
export const singleKeys = () => localStorage.getItem(KEPT) !== "off";

export function keepSingleKeys(on: boolean): void {
  if (on) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, "off");
}

/** True for a key that may be a command of its own, and is no part of what is typed. */
export function isCommand(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const typed = event.target instanceof HTMLElement && event.target.closest(FIELDS);
  return !typed && singleKeys();
}
