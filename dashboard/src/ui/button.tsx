import clsx from "clsx";
import { LoaderCircle } from "lucide-react";
import type { ComponentProps } from "react";
import { Tip } from "./overlay";

const variants = {
  primary: "bg-accent text-accent-fg hover:bg-accent-hover shadow-card",
  secondary:
    "border border-line bg-panel text-fg hover:bg-hover hover:border-line-strong shadow-card",
  ghost: "text-muted hover:bg-hover hover:text-fg",
  danger: "bg-bad text-white dark:text-black hover:opacity-90 shadow-card",
};
const sizes = { sm: "h-8 px-2.5 text-[13px]", md: "h-9 px-3.5 text-sm", icon: "size-8" };
export type Variant = keyof typeof variants;

export function buttonClass(
  variant: Variant = "secondary",
  size: keyof typeof sizes = "md",
  extra?: string,
) {
  return clsx(
    "inline-flex shrink-0 cursor-pointer items-center justify-center gap-1.5 rounded-lg font-medium",
    "whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-50",
    "aria-disabled:cursor-not-allowed aria-disabled:opacity-50",
    "[&_svg]:size-4 [&_svg]:shrink-0",
    sizes[size],
    variants[variant],
    extra,
  );
}

interface Props extends ComponentProps<"button"> {
  variant?: Variant;
  size?: keyof typeof sizes;
  busy?: boolean;
  /** Why whoever looks may not: it can be reached, says so, and does nothing. */
  refused?: string | null;
}

export function Button({ refused, ...props }: Props) {
  if (!refused) return <Plain {...props} />;
  return (
    <Tip label={refused}>
      <Plain {...props} onClick={undefined} aria-disabled aria-description={refused} />
    </Tip>
  );
}

function Plain({ variant, size, className, busy, children, ...rest }: Omit<Props, "refused">) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      className={buttonClass(variant, size, className)}
    >
      {busy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
