export const OPEN = "autostack:palette";
export const KEYS = "autostack:keys";
export const openPalette = () => dispatchEvent(new Event(OPEN));
export const showKeys = () => dispatchEvent(new Event(KEYS));
