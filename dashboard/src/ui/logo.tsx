export const Logo = () => (
  <span className="flex items-center gap-2.5 font-semibold tracking-tight">
    <svg viewBox="0 0 32 32" className="size-7" aria-hidden>
      <rect width="32" height="32" rx="9" className="fill-accent" />
      <path d="M16 6.5 25 11l-9 4.5L7 11Z" fill="#fff" />
      <path
        d="m7 16 9 4.5 9-4.5M7 21l9 4.5 9-4.5"
        fill="none"
        stroke="#fff"
        strokeOpacity=".72"
        strokeWidth="2.2"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
    AutoStack
  </span>
);
