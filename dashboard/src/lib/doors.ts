/** Pages for those who are not signed in: no menu around them, and nothing is asked beforehand. */
export const DOORS = [
  "sign-in",
  "register",
  "forgot-password",
  "reset-password",
  "confirm-email",
  "oauth",
  "invitation",
];

export const isDoor = (path: string) => DOORS.some((door) => path.endsWith(`/${door}`));
