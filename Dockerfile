# starling in a container. Both stages run scripts/image.sh, so that the same steps can be tested without a container engine.
#
#   docker build -t starling .
#   docker run --rm starling                                   # the built-in configuration, a pure reflector
#   docker run --rm --network host --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_BIND_SERVICE \
#     -v /etc/starling:/etc/starling:ro starling run -c /etc/starling/starling.yaml
#
# starling runs as user 10001. What it needs beyond that, the kernel's routes (NET_ADMIN) and port 179 (NET_BIND_SERVICE), it
# takes from file capabilities, so the container needs both and must not forbid privilege escalation; otherwise it still
# runs, as a pure reflector on a port of 1024 and above, and says so.

FROM node:24-slim AS build
WORKDIR /source
COPY . .
RUN scripts/image.sh build /source /image

FROM node:24-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/ /
COPY --from=build /source/scripts/image.sh /tmp/image.sh
RUN /tmp/image.sh finish / && rm /tmp/image.sh
USER 10001:10001
# It answers on its control socket, whatever the configuration says about HTTP.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["starling", "show", "summary", "--json"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["starling"]
CMD ["run"]
