# The images of Twinmesh: a static program each and nothing else, not even a shell. The programs are compiled before
# (`make images`), so that an image is made without a network and without emulating its architecture.
#
#   docker build --target manager --build-arg TARGETARCH=amd64 .

FROM scratch AS manager
ARG TARGETARCH
COPY bin/linux-${TARGETARCH}/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]

FROM scratch AS broker
ARG TARGETARCH
COPY bin/linux-${TARGETARCH}/twinmesh-broker /twinmesh-broker
USER 65532:65532
EXPOSE 61616 8161
ENTRYPOINT ["/twinmesh-broker"]
