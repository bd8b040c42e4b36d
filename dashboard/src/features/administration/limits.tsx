"use client";
import { useQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http, type Limit } from "@/lib/http";
import { Problem } from "@/ui/overlay";
import { CopyButton } from "@/ui/small";
import { Card, Loading, Section, Skeleton, Tag } from "@/ui/surface";

export function Limits() {
  const { data: found, error } = useQuery({
    queryKey: keys.limits,
    queryFn: () => data(http.GET("/admin/limits")),
  });
  if (error) return <Problem error={error} />;
  if (!found)
    return (
      <Loading label="Loading the limits">
        <Skeleton className="h-64 w-full rounded-xl" />
      </Loading>
    );
  return (
    <Section
      id="limits"
      title="Limits in force"
      note={
        <>
          They are changed on the server, in the environment or in{" "}
          <code className="font-mono">autostack.toml</code>, and hold from the next start; the guide
          has each in <code className="font-mono">docs/settings.md</code>.
        </>
      }
    >
      <Card className="overflow-x-auto" role="region" aria-label="Limits by setting" tabIndex={0}>
        <table className="w-full text-[13px]">
          <thead>
            <tr className="border-b border-line text-left text-xs text-muted">
              {["What it bounds", "Value"].map((name) => (
                <th key={name} scope="col" className="px-4 py-2 font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.items.map((one) => (
              <Row key={one.setting} of={one} />
            ))}
          </tbody>
        </table>
      </Card>
    </Section>
  );
}

const Row = ({ of }: { of: Limit }) => (
  <tr className="border-b border-line last:border-0">
    <th scope="row" className="px-4 py-2 text-left font-normal">
      <p>{of.about}</p>
      <p className="flex items-center gap-1 text-xs text-muted">
        <code className="font-mono [overflow-wrap:anywhere]">{of.setting}</code>
        <CopyButton text={of.setting} what={of.setting} />
      </p>
    </th>
    <td className="px-4 py-2 align-top">
      <span className="font-medium tabular-nums">{valueOf(of)}</span>{" "}
      {!of.is_default && <Tag>changed</Tag>}
    </td>
  </tr>
);

const valueOf = ({ value, unit }: Limit): string =>
  value === null ? "the default" : unit ? `${value} ${unit}` : `${value}`;
