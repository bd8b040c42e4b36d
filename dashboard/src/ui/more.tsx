import { Button } from "./button";

interface Paged {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Under a list that comes in pages, while there is more of it. */
export const More = (props: { of: Paged; label?: string; className?: string }) =>
  props.of.hasNextPage && (
    <div className={`text-center ${props.className ?? "mt-4"}`}>
      <Button busy={props.of.isFetchingNextPage} onClick={() => props.of.fetchNextPage()}>
        {props.label ?? "Show more"}
      </Button>
    </div>
  );
