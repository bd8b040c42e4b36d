import clsx from "clsx";
import { useId, type ComponentProps, type ReactNode } from "react";

export const fieldClass =
  "h-9 w-full rounded-lg border border-edge bg-panel px-3 text-sm shadow-card placeholder:text-faint hover:border-muted focus-visible:outline-offset-0 aria-invalid:border-bad";

interface Frame {
  id: string;
  label: string;
  hint?: ReactNode;
  error?: string;
  className?: string;
  children: ReactNode;
}

/** What every control has around it; the control names `${id}-hint` and `${id}-error` itself. */
function Labelled({ id, label, hint, error, className, children }: Frame) {
  return (
    <div className={className}>
      <label htmlFor={id} className="block text-[13px] font-medium">
        {label}
      </label>
      {children}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-xs text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="mt-1 text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

interface Props extends ComponentProps<"input"> {
  label: string;
  hint?: ReactNode;
  error?: string;
  mono?: boolean;
}

/** A labelled input; its hint and its error are read out with it. */
export function Field({ label, hint, error, mono, className, ...rest }: Props) {
  const id = useId();
  const described = clsx(hint && `${id}-hint`, error && `${id}-error`) || undefined;
  return (
    <Labelled id={id} label={label} hint={hint} error={error} className={className}>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={described}
        {...rest}
        className={clsx(fieldClass, "mt-1.5", mono && "font-mono text-[13px]")}
      />
    </Labelled>
  );
}

export function Area({
  label,
  hint,
  className,
  ...rest
}: ComponentProps<"textarea"> & { label: string; hint?: ReactNode }) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} className={className}>
      <textarea
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        spellCheck={false}
        {...rest}
        className={clsx(fieldClass, "mt-1.5 h-auto py-2 font-mono text-[13px] leading-5")}
      />
    </Labelled>
  );
}

/** A checkbox or a radio button with what it means; the whole line is pressed. */
export const Check = ({ children, className, ...rest }: ComponentProps<"input">) => (
  <label className={clsx("flex min-h-8 items-start gap-2.5 py-1.5 text-[13px]", className)}>
    <input type="checkbox" {...rest} className="mt-0.5 size-4 shrink-0 accent-accent" />
    <span className="min-w-0">{children}</span>
  </label>
);

/** One of many, in the browser's own list. */
export function Pick({
  label,
  options,
  hint,
  className,
  ...rest
}: ComponentProps<"select"> & {
  label: string;
  options: readonly (readonly [string, string])[];
  hint?: ReactNode;
}) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} className={className}>
      <select
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
        className={clsx(fieldClass, "mt-1.5")}
      >
        {options.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

/** One of a few; like radio buttons, drawn as one control. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, ReactNode])[];
  onChange: (value: T) => void;
}) {
  return (
    <div
      role="group"
      aria-label={props.label}
      className="flex max-w-full gap-0.5 overflow-x-auto rounded-lg border border-line bg-raised p-0.5"
    >
      {props.options.map(([value, shown]) => (
        <button
          key={value}
          type="button"
          aria-pressed={props.value === value}
          onClick={() => props.onChange(value)}
          className={clsx(
            "flex h-7.5 shrink-0 cursor-pointer items-center gap-1.5 rounded-md px-2.5 text-[13px] font-medium -outline-offset-2",
            props.value === value
              ? "bg-panel text-fg shadow-card ring-1 ring-edge"
              : "text-muted hover:text-fg",
          )}
        >
          {shown}
        </button>
      ))}
    </div>
  );
}
