"use client";
import { Dialog as Base } from "@base-ui/react/dialog";
import clsx from "clsx";
import {
  Boxes,
  HardDrive,
  History,
  Keyboard,
  KeyRound,
  Plus,
  Rocket,
  Search,
  Settings,
  Shield,
  SunMoon,
  Users,
  type LucideIcon,
} from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect, useMemo, useState, type KeyboardEvent } from "react";
import { useKnownProjects } from "@/features/projects/pages";
import { apply } from "@/lib/theme";
import { Dialog } from "./dialogs";
import { Check } from "./field";
import { keepSingleKeys, showKeys, singleKeys } from "./open";
import { Glyph, Kbd } from "./small";

interface Command {
  id: string;
  label: string;
  note?: string;
  icon?: LucideIcon;
  run: () => void;
}

const MAP: [string[], string][] = [
  [["Ctrl", "K"], "Go to a project or a page"],
  [["/"], "Find on this page"],
  [["g", "p"], "Projects"],
  [["g", "d"], "Deployments"],
  [["g", "a"], "Activity"],
  [["g", "n"], "New project"],
  [["g", "s"], "Settings"],
  [["?"], "This list"],
];

export const Keys = ({ onClose }: { onClose: () => void }) => (
  <Dialog open onOpenChange={(open) => !open && onClose()} title="Keyboard">
    <dl className="mt-4 space-y-2.5">
      {MAP.map(([pressed, does]) => (
        <div key={does} className="flex items-center justify-between gap-4">
          <dt className="text-muted">{does}</dt>
          <dd className="flex gap-1">
            {pressed.map((key) => (
              <Kbd key={key}>{key}</Kbd>
            ))}
          </dd>
        </div>
      ))}
    </dl>
    <SingleKeys />
  </Dialog>
);

function SingleKeys() {
  const [on, setOn] = useState(singleKeys);
  return (
    <Check
      className="mt-4 border-t border-line pt-4"
      checked={on}
      onChange={(event) => {
        setOn(event.target.checked);
        keepSingleKeys(event.target.checked);
      }}
    >
      Single keys
      <span className="block text-muted">
        Without them only Ctrl K is left. Kept in this browser.
      </span>
    </Check>
  );
}

function useCommands(): Command[] {
  const router = useRouter();
  const projects = useKnownProjects();
  return useMemo(() => {
    const go = (to: string) => () => router.push(to);
    const dark = () => document.documentElement.classList.contains("dark");
    return [
      ...projects.map(({ project }) => ({
        id: project.id,
        label: project.name,
        note: "Project",
        run: go(`/projects/${project.id}`),
      })),
      { id: "new", label: "New project", icon: Plus, run: go("/projects/new") },
      { id: "projects", label: "Projects", icon: Boxes, run: go("/") },
      { id: "deployments", label: "Deployments", icon: Rocket, run: go("/deployments") },
      { id: "activity", label: "Activity", icon: History, run: go("/activity") },
      { id: "server", label: "Server", icon: HardDrive, run: go("/server") },
      { id: "settings", label: "Settings", icon: Settings, run: go("/settings") },
      { id: "security", label: "Security", icon: Shield, run: go("/settings/security") },
      { id: "tokens", label: "API tokens", icon: KeyRound, run: go("/settings/tokens") },
      { id: "teams", label: "Teams", icon: Users, run: go("/settings/teams") },
      {
        id: "theme",
        label: "Switch between light and dark",
        icon: SunMoon,
        run: () => apply(dark() ? "light" : "dark"),
      },
      { id: "keys", label: "Keyboard", icon: Keyboard, run: showKeys },
    ];
  }, [projects, router]);
}

/** A list that is filtered by typing; the arrows choose and Enter goes. */
export function Palette({ onClose }: { onClose: () => void }) {
  const commands = useCommands();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const wanted = typed.trim().toLowerCase();
  const found = commands.filter((one) => one.label.toLowerCase().includes(wanted)).slice(0, 50);
  const run = (command?: Command) => {
    onClose();
    command?.run();
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      setChosen((chosen + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  useEffect(() => {
    document.getElementById(`command-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <Base.Popup className="popup fixed top-[12dvh] left-1/2 z-50 w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-2xl border border-line bg-panel shadow-2xl">
          <Base.Title className="sr-only">Go to</Base.Title>
          <div className="flex items-center gap-2.5 border-b border-line px-4">
            <Search className="size-4 text-faint" aria-hidden />
            <input
              role="combobox"
              aria-expanded
              aria-controls="commands"
              aria-activedescendant={found.length ? `command-${chosen}` : undefined}
              aria-label="Go to a project or a page"
              placeholder="Go to a project or a page"
              className="h-12 w-full bg-transparent text-sm outline-none placeholder:text-faint"
              value={typed}
              autoFocus
              onKeyDown={pressed}
              onChange={(event) => {
                setTyped(event.target.value);
                setChosen(0);
              }}
            />
          </div>
          <ul
            id="commands"
            role="listbox"
            aria-label="Found"
            className="max-h-80 overflow-y-auto p-1.5"
          >
            {found.map((one, index) => (
              <li
                key={one.id}
                id={`command-${index}`}
                role="option"
                aria-selected={index === chosen}
                onMouseMove={() => setChosen(index)}
                onClick={() => run(one)}
                className={clsx(
                  "flex h-10 cursor-pointer items-center gap-3 rounded-lg px-2.5",
                  index === chosen && "bg-hover",
                )}
              >
                {one.icon ? (
                  <one.icon className="mx-1 size-4 text-muted" aria-hidden />
                ) : (
                  <Glyph name={one.label} />
                )}
                <span className="truncate">{one.label}</span>
                {one.note && <span className="ml-auto text-xs text-muted">{one.note}</span>}
              </li>
            ))}
          </ul>
          {!found.length && (
            <p className="px-4 pb-6 text-center text-muted">Nothing is called that.</p>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
